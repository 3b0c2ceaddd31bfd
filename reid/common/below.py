"""The files below a folder, in folders that are links too: data sets lie on other disks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from reid.common.debris import is_debris
from reid.common.errors import InputError


def below(folder: Path, debris: bool = False) -> Iterator[Path]:
    """The files below a folder, in no order, each once: links to folders are followed where they lead out of it.

    A link that leads nowhere is among them: who reads it finds out. What is neither a file nor a folder is not.

    Args:
        folder: to look in.
        debris: whether what nobody reads is wanted too (`reid.common.debris`).

    Raises:
        InputError: a folder cannot be read.
    """
    return _below(folder, folder, debris, {folder.resolve()})


def _below(folder: Path, top: Path, debris: bool, seen: set[Path]) -> Iterator[Path]:
    """The files below a folder in `top`; `seen` has the real paths of `top` and of all linked folders so far."""
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except PermissionError as error:
        remedy = "change its rights, or give another path"
        raise InputError(f"{folder} cannot be read ({error.strerror}): {remedy}") from error
    for entry in found:
        path = folder / entry.name
        if not debris and is_debris(path.relative_to(top)):
            continue
        if not _is_folder(path):
            if path.is_file() or not os.path.exists(path):
                yield path
        elif not entry.is_symlink():
            yield from _below(path, top, debris, seen)
        else:
            real = path.resolve()
            if not any(other.is_relative_to(real) or real.is_relative_to(other) for other in seen):
                seen.add(real)
                yield from _below(path, top, debris, seen)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a link to itself
        return False
