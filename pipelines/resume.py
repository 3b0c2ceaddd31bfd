"""Finding the scratch folder that an interrupted stage goes on from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import augment
import reid
from reid.common.checkpoints import Scratch
from reid.common.digests import digest

# Options that say how often something is written; they do not change what is computed.
CADENCE = {"log_every", "checkpoint_every", "sample_every"}


def scratch(name: str, settings: dict[str, Any], inputs: Iterable[Path]) -> Scratch:
    """The scratch folder of a run with these settings, these input files, and the code as it is.

    Args:
        name: what runs, e.g. `gan-full`.
        settings: everything else that decides the result: parameters, seed, device, threads.
        inputs: files or folders that are read.
    """
    code = [digest(Path(package.__path__[0]), "*.py") for package in (reid, augment)]
    identity = {**_without_cadence(settings), "inputs": [digest(path) for path in inputs], "code": code}
    return Scratch(name.replace("/", "-"), identity)


def _without_cadence(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _without_cadence(value) if isinstance(value, dict) else value
        for key, value in settings.items()
        if key not in CADENCE
    }
