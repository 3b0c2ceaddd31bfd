"""Files and folders that are there only when they are whole, and stay what they were until then.

What is to become PATH is made in the folder `PATH.partial`, written to the disk, and then moved. So a kill or a power
cut at any moment leaves the old or the new, and perhaps that folder, which the next writer of PATH takes over. Whatever
else has that name is somebody's own, and is never touched.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reid.common.errors import InputError
from reid.common.locks import LOCK, claim


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write a file, or make a folder, that takes the place of `path` when the block ends without an error.

    A file may take the place of a file, a folder that of an empty folder; folders above are made. What is yielded has
    the suffix of `path`.

    Raises:
        InputError: another process is writing `path`, or there is something of somebody else's at `PATH.partial`.
    """
    with _beside(path) as new:
        yield new
        _sync(new)
        new.replace(path)


def write(path: Path, content: str | bytes) -> None:
    """Write a file, in UTF-8 if it is text."""
    with replacing(path) as new:
        new.write_bytes(content.encode() if isinstance(content, str) else content)


def remove(folder: Path) -> None:
    """Delete a folder: all of it is there, or nothing of it; raises what `replacing` does."""
    with _beside(folder) as old:
        folder.rename(old)


def refuse_existing(out: Path) -> None:
    """Raise InputError where something is at `out` that would be lost; an empty folder is nothing."""
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists() or out.is_symlink():
        raise InputError(f"{out} exists; remove it, or choose another --out")


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A place beside `path` where nothing is, and nothing will be afterwards."""
    folder = path.with_name(f"{path.name}.partial")
    place = folder / f"whole{path.suffix}"
    if not _may_use(folder, place):
        raise InputError(
            f"{folder} is in the way, and is not what an interrupted run leaves behind; remove it, or choose another "
            f"name for {path.name}"
        )
    lock = claim(folder)
    try:
        _delete(place)
        yield place
    finally:
        _delete(place)
        (folder / LOCK).unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()
        lock.release()


def _may_use(folder: Path, place: Path) -> bool:
    """Whether there is no folder, an empty one, or what `_beside` leaves when it is killed: a lock, perhaps a place."""
    if folder.is_symlink() or not folder.is_dir():
        return not os.path.lexists(folder)
    inside = {file.name for file in folder.iterdir()}
    return not inside or (LOCK in inside and inside <= {LOCK, place.name} and (folder / LOCK).lstat().st_size == 0)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Have what was written to a file, or below a folder, on the disk; moved before that, it may be lost."""
    if path.is_dir():
        os.sync()  # everything, once: file by file it takes far longer
        return
    with path.open("rb") as file:
        os.fsync(file.fileno())
