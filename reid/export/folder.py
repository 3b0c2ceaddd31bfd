"""Writing a folder that is there only when it is whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from reid.common.checkpoints import claim
from reid.common.errors import InputError


def refuse_existing(out: Path) -> None:
    """Raise InputError where something is at `out` that would be lost; an empty folder is nothing."""
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists() or out.is_symlink():
        raise InputError(f"{out} exists; remove it, or choose another --out")


def write(out: Path, members: Iterable[tuple[str, bytes]]) -> None:
    """Write (name, bytes) members below the folder `out`, which appears when it is whole.

    Until then they lie in `OUT.partial`; what an interrupted run left there is removed.

    Raises:
        InputError: `out` exists, or `OUT.partial` is not what an interrupted run leaves, or another process is at work.
    """
    refuse_existing(out)
    partial = out.with_name(out.name + ".partial")
    if partial.exists() and not (partial / "lock").exists():
        raise InputError(f"{partial} exists and is no unfinished export; remove it, or choose another --out")
    partial.mkdir(parents=True, exist_ok=True)
    lock = claim(partial)
    try:
        inside = partial / "whole"
        shutil.rmtree(inside, ignore_errors=True)
        for name, data in members:
            file = inside / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        inside.rename(out)
        shutil.rmtree(partial)
    finally:
        os.close(lock)
