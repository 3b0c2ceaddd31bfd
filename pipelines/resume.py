"""Finding the scratch folder that an interrupted stage goes on from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reid.common.checkpoints import Scratch
from reid.common.code import Entry, code_digest
from reid.common.digests import digest

# Options that say how often something is written; they do not change what is computed.
CADENCE = {"log_every", "checkpoint_every", "sample_every"}
# Modules whose change runs no stage again, beside `reid.common`: they say, name, check and resume, but compute nothing.
NEUTRAL = {
    "pipelines.augmented",
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
    """The scratch folder of a run with these settings, these input files, and the code that it depends on as it is.

    Args:
        name: what runs, e.g. `gan-full`.
        settings: everything else that decides the result: parameters, seed, device, threads.
        inputs: files or folders that are read.
        module: name of the module that does the work; what it imports counts too, see `reid.common.code`.
        taken: what the run takes from registries, its method say, where it takes nothing else from these.
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
