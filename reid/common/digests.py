"""Digests of files and folders."""

from __future__ import annotations

import hashlib
from pathlib import Path

from reid.common.below import below


def digest(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of all files below a folder, without `debris`."""
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    files = sorted(each for each in below(path) if each.is_file())
    parts = [f"{each.relative_to(path).as_posix()} {digest(each)}" for each in files]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
