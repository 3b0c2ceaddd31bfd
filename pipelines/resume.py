"""The scratch folder in which a stage keeps its state, and from which it goes on after an interruption."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.console import Say
from reid.common import atomic
from reid.common.checkpoints import Scratch
from reid.common.code import Entry, code_digest
from reid.common.digests import digest
from reid.common.saved import load_json, save_json

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


SETTINGS = "settings.json"  # in the scratch folder of a finished run: all that it was made with


@contextmanager
def output(
    scratch: Scratch, path: Path, may_hold: Collection[str], exactly: dict[str, Any], say: Say
) -> Iterator[Path | None]:
    """Yield the folder to fill that becomes `path`, the result of a run; None where an earlier run has filled it.

    From the first nobody else can write `path`: not another run with other settings, either. A finished run's scratch
    folder has its result instead of its state, until the stage `report` (a command's for good): DVC deletes the outputs
    of stages that it has not recorded, and one that is killed before it does so would delete hours of work.

    Args:
        scratch: of the run.
        path: of its result.
        may_hold: names of all that results have in them.
        exactly: all settings, those too that decide no weights but what else is written: of a result that was made with
            others the run begins anew.
        say: prints a line of the stage.

    Raises:
        InputError: another process writes `path`, or it has something else in it.
    """
    made_with = scratch.folder / SETTINGS
    with atomic.replacing_folder(path, may_hold) as folder:
        if scratch.result.exists() and load_json(made_with, (), f"remove {scratch.folder}") == _as_json(exactly):
            shutil.copytree(scratch.result, folder, dirs_exist_ok=True)
            say(f"made before: taken from {scratch.result}; remove {scratch.folder} to make it again")
            yield None
        else:
            atomic.delete(scratch.result)
            yield folder
            save_json(exactly, made_with)
    scratch.finish(path, (SETTINGS,))


def _as_json(settings: dict[str, Any]) -> Any:
    return json.loads(json.dumps(settings))


def _without_cadence(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _without_cadence(value) if isinstance(value, dict) else value
        for key, value in settings.items()
        if key not in CADENCE
    }
