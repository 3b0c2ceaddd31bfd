"""Resuming long work: a scratch folder a run, written atomically, found again by what the run is."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

from reid.common.errors import InputError

SCRATCH = Path(".scratch")


class Scratch:
    """The scratch folder of one run.

    Its name holds a digest of everything that decides the run's result, so a run is only ever resumed from its own
    state; state of a run with other settings stays where it is, untouched.

    Args:
        name: what runs, e.g. `gan-full`.
        identity: JSON-serialisable description of the run: settings, and digests of its inputs.
        root: folder of all scratch folders; git-ignored.

    Raises:
        InputError: another process is at work on the same run.
    """

    def __init__(self, name: str, identity: dict[str, Any], root: Path = SCRATCH):
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        self.folder = root / f"{name}-{digest[:12]}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.claim = claim(self.folder)

    def load(self) -> dict[str, Any] | None:
        """The state saved last, on the CPU, or None."""
        path = self.folder / "state.pt"
        return load_tensors(path, f"remove {self.folder} to start over") if path.exists() else None

    def save(self, state: dict[str, Any]) -> None:
        """Replace the saved state; a kill at any moment leaves either the old or the new one."""
        import torch

        partial = self.folder / "state.pt.partial"
        with partial.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.folder / "state.pt")

    def remove(self) -> None:
        """Delete the folder, once the run's result is safe elsewhere; a kill leaves no half of it to resume from."""
        done = self.folder.with_suffix(".done")
        shutil.rmtree(done, ignore_errors=True)
        self.folder.rename(done)
        shutil.rmtree(done)
        os.close(self.claim)


def claim(folder: Path) -> int:
    """Make a folder this process's own until it ends, however it ends, or closes the file descriptor that is returned.

    Raises:
        InputError: another process has it.
    """
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise InputError(f"another process is at work in {folder}; wait until it ends, or stop it") from error
    return descriptor


def load_tensors(path: Path, remedy: str) -> dict[str, Any]:
    """What torch saved in a file, on the CPU; raises InputError with the remedy where the file is damaged."""
    import torch

    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        what = str(error).partition("\n")[0] or "it is empty"
        raise InputError(f"{path} is damaged ({what}); {remedy}") from error
    return state


def load_json(path: Path, keys: tuple[str, ...], remedy: str) -> dict[str, Any]:
    """A JSON file that has these keys; raises InputError with the remedy where it is damaged."""
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        missing = [key for key in keys if key not in content]
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error}); {remedy}") from error
    if missing:
        raise InputError(f"{path} is damaged (it has no {missing[0]}); {remedy}")
    return content


def digest(path: Path, pattern: str = "*") -> str:
    """SHA-256 of a file, or of the names and contents of the files below a folder that match a pattern."""
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    files = sorted(p for p in path.rglob(pattern) if p.is_file())
    parts = [f"{p.relative_to(path).as_posix()} {digest(p)}" for p in files]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
