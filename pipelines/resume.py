"""The scratch folder in which a stage keeps its state, and from which it goes on after an interruption."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reid.common.checkpoints import Scratch
from reid.common.code import Entry, code_digest
from reid.common.digests import digest

# Options that say how often something is written; they change nothing that is computed.
CADENCE = {"log_every", "checkpoint_every", "sample_every"}
# Beside `reid.common`, modules that print, name files, check or resume, but compute no result: an edit of one does not
# discard the state of an interrupted run.
NEUTRAL = {
    "pipelines.console",
    "pipelines.layout",
    "pipelines.params",
    "pipelines.reid_params",
    "pipelines.resume",
    "pipelines.runtime",
    "reid.pictures.sheets",
}


def scratch(
    name: str, settings: dict[str, Any], inputs: Iterable[Path], module: str, taken: Iterable[Entry] = ()
) -> Scratch:
    """The scratch folder of a run: another one whenever its settings, its input files or its code are others.

    Args:
        name: of the run, e.g. `gan-full`.
        settings: everything else that decides the result: parameters, seed, device, threads.
        inputs: files or folders that are read.
        module: name of the module that does the work; the code that it imports counts too, see `reid.common.code`.
        taken: entries of registries that the run uses, e.g. its method; it must use no others of these registries.
    """
    code = code_digest([module], taken, NEUTRAL)
    identity = {**_without_cadence(settings), "inputs": [digest(path) for path in inputs], "code": code}
    return Scratch(name.replace("/", "-"), identity)


def _without_cadence(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _without_cadence(value) if isinstance(value, dict) else value
        for key, value in settings.items()
        if key not in CADENCE
    }
