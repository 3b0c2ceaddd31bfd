"""What this machine has, and lacks, for the parameters in params.yaml; and what to do about it."""

from __future__ import annotations

import importlib
import math
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import click
import pandas as pd
import torch

from augment import methods
from augment.methods.guided import method as guided
from pipelines.cores import Watch
from pipelines.params import Params
from pipelines.runtime import WATCHED, gpu_fault
from reid.common.checkpoints import RESULT, SCRATCH
from reid.common.errors import InputError
from reid.common.locks import claim
from reid.common.parameters import options
from reid.common.saved import load_json
from reid.datasets import DATASETS, SPLITS
from reid.datasets.checks import faults_of_tables
from reid.export.layout import naming
from reid.files import weights
from reid.networks.ide import IDE

PYTHONS = ((3, 11), (3, 14))  # the first that will do, and the first that will not
JPEG = 0.2  # bytes of a generated image for each of its values: those of `streets` have 0.11
ROOM = 2.0  # GB that are left to all else


class Answer(NamedTuple):
    """What was found of one thing."""

    what: str
    remedy: str = ""  # where something is missing
    stops: bool = False  # whether stages will not run


def run(params: Params) -> None:
    """Print a line for each thing that the stages need, and its remedy where it is missing.

    Args:
        params: all of params.yaml.

    Raises:
        InputError: with what there is the stages cannot run.
    """
    stops = 0
    for title, ask in QUESTIONS.items():
        for answer in ask(params):
            mark = "FAILS" if answer.stops else "warning" if answer.remedy else "ok"
            click.echo(f"{mark:8} {title}: {answer.what}{f' -> {answer.remedy}' if answer.remedy else ''}")
            stops += answer.stops
    if stops:
        raise InputError(
            f"profile {params.profile} cannot run here: of the lines above {stops} say why, and what to do"
        )
    click.echo(f"profile {params.profile} can run here")


def _python(params: Params) -> Iterator[Answer]:
    least, beyond = PYTHONS
    fits = least <= sys.version_info[:2] < beyond
    wanted = f"3.{least[1]} to 3.{beyond[1] - 1}"
    yield Answer(platform.python_version(), "" if fits else f"the lock file is for {wanted}: `make setup PYTHON=...`")


def _packages(params: Params) -> Iterator[Answer]:
    for name, module, without in (
        ("dvc", "dvc", "`dvc repro` cannot run; its stages can, each by its command"),
        ("faiss-cpu", "faiss", "searching is not possible"),
    ):
        try:
            importlib.import_module(module)
        except ImportError as error:
            yield Answer(f"{module} cannot be imported ({error})", f"{without}: `make setup`", module == "faiss")
        else:
            yield Answer(f"{module} {_version(name, module)}")


def _version(*names: str) -> str:
    for name in (*names, "faiss-gpu"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "(version not known)"


def _device(params: Params) -> Iterator[Answer]:
    has = f"torch {torch.__version__}, "
    fault = gpu_fault()
    if fault is None:
        free, whole = torch.cuda.mem_get_info()
        yield Answer(f"{has}{torch.cuda.get_device_name()} with {free / 1e9:.1f} of {whole / 1e9:.1f} GB free")
    elif params.device == "cuda":
        yield Answer(f"{has}but {fault}, and device is cuda", "set device: auto, or mend the driver", True)
    else:
        yield Answer(f"{has}{fault}: stages run on the CPU")


def _cores(params: Params) -> Iterator[Answer]:
    watch = Watch()
    time.sleep(WATCHED)
    left, whole = watch.left(), len(os.sched_getaffinity(0))
    busy = left < min(whole, params.threads if params.threads != "auto" else whole) - 0.5
    remedy = "other programs keep cores busy, and stages slow: end them, or set `threads` to what is left"
    yield Answer(f"{left:.1f} of {whole} are free", remedy if busy else "")


def _weights(params: Params) -> Iterator[Answer]:
    by_detection = any(params.selection[name].by == "detection" for name in params.selections)
    for name, what in _needed(params).items():
        try:
            weights.locate(name)
        except (OSError, InputError) as error:
            stops = not what.startswith("score") or (name == params.scores.detector and by_detection)
            yield Answer(f"{name}, for {what}: {error}", "see there" if stops else "without it, no such score", stops)
        else:
            yield Answer(f"{name}, for {what}: SHA-256 is right")
    for kind, path in _own_files(params):
        if not Path(path).exists():
            yield Answer(f"{path}, for {kind}, does not exist", f"put it there, or correct {kind}", True)
    for name in params.trained:
        if (initial := params.gan[name].initial) is not None:
            try:
                config, _ = methods.storage.files(initial, "no weights to start from")
                size = load_json(config, ("size",), methods.storage.REMEDY)["size"]
            except (FileNotFoundError, InputError) as error:
                yield Answer(str(error), f"restore it by git, or set gan.{name}.initial: null", True)
                continue
            if size != list(params.image_size):
                said = f"{initial} is for images of {size}, image_size is {list(params.image_size)}"
                yield Answer(said, f"set gan.{name}.initial: null", True)


def _own_files(params: Params) -> Iterator[tuple[str, str]]:
    """Keys of params.yaml, and the files that they name."""
    for name in params.networks:
        if (path := params.reid[name].options.get("weights")) is not None:
            yield f"reid.{name}.options.weights", path
    for name in params.trained:
        if (path := _guider(params, name).get("weights")) is not None:
            yield f"gan.{name}.options.guider_options.weights", path
        if (poses := params.gan[name].poses) is not None:
            yield f"gan.{name}.poses.file", poses.file
    if params.pose.estimator == "annotations":
        for path in params.pose.options["annotations"]["files"]:
            yield "pose.annotations.files", str(path)


def _guider(params: Params, name: str) -> dict[str, Any]:
    """The options of a generator's guider, defaults too; none where there is no guider."""
    given = params.gan[name].options
    return options(IDE, given["guider_options"] or {}, guided.NOT_OPTIONS) if "guider_options" in given else {}


def _needed(params: Params) -> dict[str, str]:
    """The pretrained weights that are needed, of those in WEIGHTS, and what for."""
    needed = dict[str, str]()
    if params.pose.estimator == "blazepose":
        needed["blazepose-full"] = "poses"
    if params.features and params.pose.estimator == "annotations":
        needed["blazepose-full"] = "poses of the images that have no annotations (`features`)"
    for name in params.trained:
        needed.setdefault(params.gan[name].options.get("features", ""), f"generator {name}")
        guider = _guider(params, name)
        if guider.get("weights") is None:
            needed.setdefault(guider.get("backbone", ""), f"the guider of generator {name}")
    for name in params.networks:
        if params.reid[name].options.get("weights") is None:
            needed.setdefault(params.reid[name].options.get("backbone", ""), f"network {name}")
    needed |= {params.scores.classifier: "scores IS and FD", params.scores.detector: "score DS"}
    return {name: what for name, what in needed.items() if name in weights.WEIGHTS}


def _data(params: Params) -> Iterator[Answer]:
    name, path = params.dataset.name, params.dataset.path
    try:
        found = DATASETS[name](path)
    except (OSError, InputError) as error:
        yield Answer(str(error), "docs/datasets.md says what is expected", True)
        return
    counted = ", ".join(f"{len(found.tables[split]):,} {split}" for split in SPLITS)
    fatal = sum(finding.fatal for finding in faults_of_tables(found))
    remedy = f"{fatal} fatal findings: `python -m pipelines prepare` lists them" if fatal else ""
    yield Answer(f"{name} in {path}: {counted} images", remedy, bool(fatal))
    if params.exports:
        try:
            naming(pd.concat(found.tables.values())["image"])
        except InputError as error:
            yield Answer(f"exports: {error}", "set `exports: []`, or rename the images", True)
    train = len(found.tables["train"])
    yield from _room(params, train, train + len(found.tables["gallery"]))


def _room(params: Params, train: int, images: int) -> Iterator[Answer]:
    """Disk and memory for so many training images, and so many with those that generators are tested on, at least."""
    values = 3 * math.prod(params.image_size)
    rows = len(params.augmentations) * sum(alpha - 1 for alpha in params.alphas)
    disk = train * rows * values * JPEG / 1e9 + ROOM
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    remedy = "free some, or choose fewer rows, alphas" if free < disk else ""
    yield Answer(f"disk: {disk:.1f} GB are needed, without weights and DVC's copies; {free:.1f} GB are free", remedy)
    largest = max(images, train * max(params.alphas))
    memory = largest * values * 2 / 1e9 + ROOM  # the images, and a copy of them while they are read
    has = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    remedy = "take a smaller image_size, alpha, or part of the training set" if has < memory else ""
    yield Answer(f"memory: {memory:.1f} GB are needed for images, this machine has {has:.1f} GB", remedy)


def _repository(params: Params) -> Iterator[Answer]:
    for folder, command in ((".git", "git init"), (".dvc", "dvc init")):
        if not Path(folder).exists():
            yield Answer(f"no {folder} here", f"`dvc repro` needs it: `{command}`, or work in a clone")
    if Path(".git").exists() and shutil.which("git"):
        words = ["git", "status", "--porcelain", "--untracked-files=no"]
        changed = subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()
        yield Answer(f"{len(changed)} files differ from the commit" if changed else "as committed")


def _locks(params: Params) -> Iterator[Answer]:
    try:
        claim(SCRATCH / "doctor").release()
    except (InputError, OSError) as error:
        yield Answer(str(error), "work on a disk of this machine: stages must not be run twice at once", True)
    else:
        yield Answer(f"{SCRATCH} can be locked and written to")
    shutil.rmtree(SCRATCH / "doctor", ignore_errors=True)
    unfinished = sorted(path.name for path in SCRATCH.glob("*/") if not (path / RESULT).exists())
    if unfinished:
        yield Answer(f"{len(unfinished)} runs are at work, or wait to go on: {', '.join(unfinished[:4])}")


QUESTIONS: dict[str, Callable[[Params], Iterator[Answer]]] = {
    "Python": _python,
    "packages": _packages,
    "device": _device,
    "cores": _cores,
    "weights": _weights,
    "data": _data,
    "repository": _repository,
    "locks": _locks,
}
