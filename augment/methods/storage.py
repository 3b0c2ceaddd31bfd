"""A trained method in a folder: `config.json` (name, image size, options, trainings), `weights.pt` (of its networks).

The weights are those of all networks, so that a training can start from them; `generate` needs some of them only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from augment.methods.contract import Method
from reid.common.errors import InputError
from reid.common.parameters import stored_options
from reid.common.saved import fill, load_json, load_tensors, save_json, save_tensors

CONFIG, WEIGHTS = "config.json", "weights.pt"
REMEDY = "run `dvc checkout -f`, or train-gan again"


def save(
    method: Method, name: str, options: dict[str, Any], folder: Path, trainings: Sequence[dict[str, Any]] = ()
) -> None:
    """Write a method made as `METHODS[name](size, **options)`.

    Args:
        method: trained.
        name: its key in METHODS.
        options: that it was made with.
        folder: to write to.
        trainings: what it was trained on and how, one after the other, each from the weights of the one before.
    """
    config = {"method": name, "size": list(method.size), "options": options, "trainings": list(trainings)}
    save_json(config, folder / CONFIG)
    state = {
        network: {key: value.cpu() for key, value in module.state_dict().items()}
        for network, module in method.networks.items()
    }
    save_tensors(state, folder / WEIGHTS)


def load(folder: str | Path, device: torch.device | str = "cpu") -> Method:
    """A trained method, ready to generate.

    Raises:
        FileNotFoundError: a file is missing; the message names it.
        InputError: a file is damaged, or the method is not one of METHODS, or has no such options any more, or
            other weights.
    """
    from augment.methods import METHODS

    folder = Path(folder)
    for file in (CONFIG, WEIGHTS):
        if not (folder / file).exists():
            raise FileNotFoundError(f"{folder / file} does not exist: {folder} holds no trained method; run train-gan")
    config = load_json(folder / CONFIG, ("method", "size", "options"), REMEDY)
    if config["method"] not in METHODS:
        raise InputError(f"{folder / CONFIG} names the method {config['method']}; there are {', '.join(METHODS)}")
    size = config["size"]
    if not (isinstance(size, list) and len(size) == 2 and all(type(side) is int and side > 0 for side in size)):
        raise InputError(f"{folder / CONFIG}: size: expected [height, width] in pixels, got {size!r}; {REMEDY}")
    made = METHODS[config["method"]]
    options = stored_options(made, config["options"], {"size"}, folder / CONFIG, "run train-gan again")
    method = made(size=(size[0], size[1]), **options)
    state = load_tensors(folder / WEIGHTS, REMEDY)
    if not (isinstance(state, dict) and set(method.inference) <= state.keys()):
        held = ", ".join(map(str, state)) if isinstance(state, dict) else type(state).__name__
        wanted = ", ".join(method.inference)
        raise InputError(f"{folder / WEIGHTS}: expected weights of the networks {wanted}, got {held}; {REMEDY}")
    for network in method.inference:
        fill(method.networks[network], state[network], folder / WEIGHTS, REMEDY)
        method.networks[network].to(device).eval()
    return method


def files_to_start_from(folder: str | Path) -> list[Path]:
    """The files that `start_from` reads; raises FileNotFoundError where one is missing."""
    files = [Path(folder) / name for name in (CONFIG, WEIGHTS)]
    for file in files:
        if not file.exists():
            raise FileNotFoundError(f"{file} does not exist: {folder} holds no weights to start from")
    return files


def start_from(method: Method, folder: str | Path) -> list[dict[str, Any]]:
    """Give a method that is to be trained the weights of one that was.

    Networks whose weights are not in the folder keep their own: those that only training needs, perhaps.

    Returns:
        the trainings that the weights come from, as of `save`.

    Raises:
        FileNotFoundError: a file is missing; the message names it.
        InputError: the weights are those of other networks.
    """
    folder = Path(folder)
    files_to_start_from(folder)
    remedy = f"make the options that shape the networks (width, background, ...) those of {folder / CONFIG}"
    config = load_json(folder / CONFIG, ("method", "size", "options"), remedy)
    if tuple(config["size"]) != method.size:
        raise InputError(f"{folder / CONFIG}: the weights are for images of {config['size']}, not {list(method.size)}")
    state = load_tensors(folder / WEIGHTS, remedy)
    for network, module in method.networks.items():
        if network in state or network in method.inference:
            fill(module, state.get(network), folder / WEIGHTS, remedy)
    return list(config.get("trainings", ()))
