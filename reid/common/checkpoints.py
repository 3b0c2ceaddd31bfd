"""Resuming long work: a scratch folder a run, found again by what the run is."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

from reid.common import atomic
from reid.common.errors import InputError
from reid.common.locks import LOCK, claim
from reid.common.saved import load_tensors, save_tensors

SCRATCH = Path(".scratch")
RESULT = "result"  # folder in the scratch folder of a finished run


class State:
    """The state of a run, or of a part of one, in a folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def load(self) -> dict[str, Any] | None:
        """The state saved last, on the CPU, or None."""
        path = self.folder / "state.pt"
        state: dict[str, Any] | None = None
        if path.exists():
            state = load_tensors(path, f"remove {self.folder} to start over")
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Replace the saved state; a kill at any moment leaves either the old or the new one."""
        save_tensors(state, self.folder / "state.pt")

    def part(self, name: str) -> State:
        """The state of a part of the run, in a folder of its own in this one."""
        return State(self.folder / name)


class Scratch(State):
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
        super().__init__(root / f"{name}-{digest[:12]}")
        self.lock = claim(self.folder)

    @property
    def result(self) -> Path:
        """The folder that `finish` leaves."""
        return self.folder / RESULT

    def finish(self, result: Path, beside: Collection[str] = ()) -> None:
        """Keep the run's result, a folder, in the place of its state: by hard links, or else as a copy.

        Args:
            result: the folder.
            beside: names of files in the scratch folder that stay too.
        """
        if not self.result.exists():
            with atomic.replacing_folder(self.result, ()) as new:
                shutil.copytree(result, new, dirs_exist_ok=True, copy_function=_link)
        for other in self.folder.iterdir():
            if other.name not in (RESULT, LOCK, *beside):
                atomic.delete(other)
        self.lock.release(force=True)

    def remove(self) -> None:
        """Delete the folder, once the run's result is safe elsewhere; a kill leaves no half of it to resume from."""
        atomic.remove(self.folder)
        self.lock.release(force=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)


def forget_results(names: Collection[str], root: Path = SCRATCH) -> None:
    """Delete the folders of finished runs of these names that nobody is at work in."""
    for folder in sorted(path.parent for path in root.glob(f"*/{RESULT}")):
        if folder.name.rpartition("-")[0] not in names:
            continue
        try:
            lock = claim(folder)
        except InputError:
            continue
        atomic.remove(folder)
        lock.release(force=True)
