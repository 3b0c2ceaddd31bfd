"""The files below a folder, in folders that are links too: data sets lie on other disks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def below(folder: Path, within: tuple[Path, ...] = ()) -> Iterator[Path]:
    """The files below a folder, in no order; links are followed, but not round in circles.

    A link that leads nowhere is among them: who reads it finds out. What is neither a file nor a folder is not.

    Args:
        folder: to look in.
        within: folders that it was reached by, as they are called without links.
    """
    real = folder.resolve()
    if real in within:
        return
    with os.scandir(folder) as entries:
        found = list(entries)
    for entry in found:
        path = folder / entry.name
        if entry.is_dir():
            yield from below(path, (*within, real))
        elif entry.is_file() or not path.exists():
            yield path
