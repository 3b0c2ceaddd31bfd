"""Claiming a folder, so that two processes never work on the same thing."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from reid.common.errors import InputError

LOCK = "lock"  # file in a claimed folder; what is locked is held by the operating system, not by the file's being there


def claim(folder: Path) -> FileLock:
    """Make a folder, if there is none, and make it this process's own.

    It is until the claim is released, until nothing refers to what is returned, or until the process ends, however it
    ends. The process that has a folder can claim it again.

    Raises:
        InputError: another process has it, or its file system cannot lock files.
        OSError: the folder cannot be made, or not be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # `fallback_to_soft` would take a file's being there for a lock, which a killed process leaves behind.
    lock = FileLock(folder / LOCK, blocking=False, thread_local=False, is_singleton=True, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(f"another process is at work in {folder}; wait until it ends, or stop it") from error
    except OSError as error:
        if error.filename is not None:
            raise
        raise InputError(f"{folder} cannot be locked ({error.strerror}); work on a disk of this machine") from error
    return lock
