"""Writing files and folders atomically: at any moment, PATH is what it was before or complete, never half-written.

(Where a folder replaces one with something in it, there is a moment at which PATH is not there at all: after a kill
just then, the old one is in `PATH.partial/old`, from where the next writer of PATH puts it back.)

The new PATH is made inside the folder `PATH.partial`, flushed to the disk, and then moved to its place. A kill or a
power cut at any moment so leaves the old PATH or the new one, and perhaps the folder, which the next writer of PATH
takes over. A file or folder of that name that no interrupted write has left belongs to somebody, and is never touched.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reid.common.debris import is_debris
from reid.common.errors import InputError
from reid.common.locks import LOCK, claim

OLD = "old"  # in `PATH.partial`, the folder that is about to be replaced


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path to write a file, or make a folder, at; it replaces `path` when the block ends without an error.

    A file may replace a file, a folder an empty folder; parent folders are made. The yielded path has the suffix of
    `path`.

    Raises:
        InputError: another process is writing `path`, or `PATH.partial` exists and is not left by an interrupted write.
    """
    with _beside(path) as new:
        yield new
        _sync(new)
        new.replace(path)


@contextmanager
def owning(path: Path) -> Iterator[None]:
    """While the block runs, `path` is this process's to write, and the files beside it that are written with it.

    For outputs of several files in a folder that others write to as well: the one at `path` stands for all of them.

    Raises:
        InputError: as of `replacing`.
    """
    with _beside(path):
        yield


@contextmanager
def replacing_folder(path: Path, may_hold: Collection[str]) -> Iterator[Path]:
    """Yield an empty folder to fill; it takes the place of `path`, a folder or nothing, when the block ends well.

    So a folder of several files never holds new ones beside old ones. While the block runs, `path` is this process's:
    another one that would write it is refused, with other settings too.

    Args:
        path: of the folder.
        may_hold: names of all that such a folder may have in it, so that nothing else is ever deleted.

    Raises:
        InputError: as of `replacing`; or `path` is no folder, or has something else in it.
    """
    if os.path.lexists(path) and not path.is_dir():
        raise InputError(f"{path} is in the way: it is no folder; rename it, or choose another name")
    others = sorted(file.name for file in path.iterdir() if file.name not in may_hold) if path.exists() else []
    others = [name for name in others if not is_debris(name)]
    if others:
        raise InputError(
            f"{path} would be replaced, and has {', '.join(others[:3])} in it, which would be lost: move this away, or "
            "choose another name"
        )
    with _beside(path) as new:
        new.mkdir()
        yield new
        _sync(new)
        if path.exists():
            path.rename(new.with_name(OLD))
        new.rename(path)


def write(path: Path, content: str | bytes) -> None:
    """Write a file, in UTF-8 if it is text."""
    with replacing(path) as new:
        new.write_bytes(content.encode() if isinstance(content, str) else content)


def remove(folder: Path) -> None:
    """Delete a folder atomically: until it is gone, it is complete; raises what `replacing` does."""
    with _beside(folder) as old:
        folder.rename(old)


def refuse_existing(out: Path) -> None:
    """Raise InputError where writing to `out` would overwrite something; an empty folder may be there."""
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists() or out.is_symlink():
        raise InputError(f"{out} exists; remove it, or choose another --out")


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Yield a path inside `PATH.partial`, at which nothing exists; what the block leaves there is deleted."""
    folder = path.with_name(f"{path.name}.partial")
    place, old = folder / f"whole{path.suffix}", folder / OLD
    if not _may_use(folder, place):
        raise InputError(
            f"{folder} is in the way, and is not what an interrupted run leaves behind; remove it, or choose another "
            f"name for {path.name}"
        )
    lock = claim(folder)
    try:
        _restore(old, path)
        delete(place)
        yield place
    finally:
        delete(place)
        _restore(old, path)
        if lock.lock_counter == 1:  # not within a block of `owning`
            (folder / LOCK).unlink(missing_ok=True)
            with suppress(OSError):
                folder.rmdir()
        lock.release()


def _restore(old: Path, path: Path) -> None:
    """Undo half of what `replacing_folder` does at its end, where it was interrupted between the two renames."""
    if old.exists() and not path.exists():
        old.rename(path)
    delete(old)


def _may_use(folder: Path, place: Path) -> bool:
    """Whether `folder` does not exist, is empty, or is what a killed `_beside` leaves: a lock, perhaps `place`, OLD."""
    if folder.is_symlink() or not folder.is_dir():
        return not os.path.lexists(folder)
    inside = {file.name for file in folder.iterdir()}
    return not inside or (LOCK in inside and inside <= {LOCK, place.name, OLD} and (folder / LOCK).lstat().st_size == 0)


def delete(path: Path) -> None:
    """Delete a file, a link, or a folder with all that is in it; nothing where there is nothing."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Flush a file, or all below a folder, to the disk: moved before that, a power cut could leave it empty."""
    if path.is_dir():
        os.sync()  # all file systems at once: file by file it takes far longer
        return
    with path.open("rb") as file:
        os.fsync(file.fileno())
