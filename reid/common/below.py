"""The files below a folder, in folders that are links too: data sets lie on other disks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def below(folder: Path) -> Iterator[Path]:
    """The files below a folder, in no order, each once: links to folders are followed where they lead out of it.

    A link that leads nowhere is among them: who reads it finds out. What is neither a file nor a folder is not.
    """
    return _below(folder, (folder.resolve(),))


def _below(folder: Path, reached_by: tuple[Path, ...]) -> Iterator[Path]:
    """The files below a folder; `reached_by` are the linked folders on the way to it, as they are called without."""
    with os.scandir(folder) as entries:
        found = list(entries)
    for entry in found:
        path = folder / entry.name
        if not entry.is_dir():
            if entry.is_file() or not path.exists():
                yield path
        elif not entry.is_symlink():
            yield from _below(path, reached_by)
        else:
            real = path.resolve()
            around = (before.is_relative_to(real) or real.is_relative_to(before) for before in reached_by)
            if not any(around):
                yield from _below(path, (*reached_by, real))
