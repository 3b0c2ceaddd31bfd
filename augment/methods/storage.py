"""A trained method in a folder: `config.json` (name, image size, options, trainings), `weights.pt` (of its networks).

The weights are those of all networks, so that a training can start from them; `generate` needs some of them only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import torch

from augment.methods.contract import Method
from reid.common.errors import InputError
from reid.common.parameters import stored_options
from reid.common.saved import fill, load_json, load_tensors, save_json, save_tensors

CONFIG, WEIGHTS = "config.json", "weights.pt"
REMEDY = "restore it (`dvc checkout -f`, or `git checkout` in data/pretrained), or train again"


def save(
    method: Method,
    name: str,
    options: dict[str, Any],
    folder: Path,
    trainings: Sequence[dict[str, Any]] = (),
    networks: Collection[str] | None = None,
) -> None:
    """Write a method made as `METHODS[name](size, **options)`.

    Args:
        method: trained.
        name: its key in METHODS.
        options: that it was made with.
        folder: to write to.
        trainings: what it was trained on and how, one after the other, each from the weights of the one before.
        networks: that are kept; by default all.
    """
    config = {"method": name, "size": list(method.size), "options": options, "trainings": list(trainings)}
    save_json(config, folder / CONFIG)
    state = {
        network: {key: value.cpu() for key, value in module.state_dict().items()}
        for network, module in method.networks.items()
        if networks is None or network in networks
    }
    save_tensors(state, folder / WEIGHTS)


def load(folder: str | Path, device: torch.device | str = "cpu", wanted_size: tuple[int, int] | None = None) -> Method:
    """A trained method, ready to generate.

    Args:
        folder: that it was written to.
        device: to work on.
        wanted_size: (H, W) that its images must have; None where any will do.

    Raises:
        FileNotFoundError: a file is missing; the message names it.
        InputError: a file is damaged, or the method is not one of METHODS, or has no such options any more, or
            other weights, or images of another size.
    """
    made, config, state = _read(folder, "no trained method; run train-gan")
    size = config["size"]
    if wanted_size is not None and tuple(size) != tuple(wanted_size):
        raise InputError(
            f"{Path(folder, CONFIG)}: the generator is for images of {size}, `image_size` in params.yaml is "
            f"{list(wanted_size)}: train it again (`dvc repro`), or set that `image_size`"
        )
    options = stored_options(made, config["options"], {"size"}, Path(folder, CONFIG), "run train-gan again")
    method = made(size=(size[0], size[1]), **options)
    weights = Path(folder, WEIGHTS)
    if not set(method.inference) <= state.keys():
        wanted, held = ", ".join(method.inference), ", ".join(map(str, state))
        raise InputError(f"{weights}: expected weights of the networks {wanted}, got {held}; {REMEDY}")
    for network in method.inference:
        fill(method.networks[network], state[network], weights, REMEDY)
        method.networks[network].to(device).eval()
    return method


def start_from(method: Method, options: dict[str, Any], folder: str | Path) -> list[dict[str, Any]]:
    """Give a method that is to be trained, and was made with these options, the weights of a trained one.

    Networks whose weights are not in the folder keep their own: those that only training needs, perhaps.

    Returns:
        the trainings that the weights come from, as of `save`.

    Raises:
        FileNotFoundError: a file is missing; the message names it.
        InputError: a file is damaged, or holds another method, or one with networks of other shapes; the message names
            the options that differ.
    """
    made, config, state = _read(folder, "no weights to start from")
    if type(method) is not made or tuple(config["size"]) != method.size:
        raise InputError(
            f"{Path(folder, CONFIG)}: to start from, a method like the one in params.yaml is needed, for images of "
            f"{list(method.size)}; this is {config['method']}, for images of {config['size']}: give another `initial`, "
            "or null"
        )
    before = config["options"]
    others = [
        f"{key} is {before.get(key)!r} there, {value!r} here"
        for key, value in options.items()
        if before.get(key) != value
    ]
    remedy = f"make the options that shape the networks those of {Path(folder, CONFIG)}: {'; '.join(others)}"
    for network, module in method.networks.items():
        if network in state or network in method.inference:
            fill(module, state.get(network), Path(folder, WEIGHTS), remedy)
    return list(config.get("trainings", ()))


def files(folder: str | Path, missing: str) -> list[Path]:
    """The files of a trained method; raises FileNotFoundError, that says what is `missing`, where one is not there."""
    paths = [Path(folder, name) for name in (CONFIG, WEIGHTS)]
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist: {folder} holds {missing}")
    return paths


def _read(folder: str | Path, missing: str) -> tuple[Callable[..., Method], dict[str, Any], dict[str, Any]]:
    """Of a folder: the method's class, the config, and the weights of each network."""
    from augment.methods import METHODS

    config_file, weights_file = files(folder, missing)
    config = load_json(config_file, ("method", "size", "options"), REMEDY)
    if config["method"] not in METHODS:
        raise InputError(f"{config_file} names the method {config['method']}; there are {', '.join(METHODS)}; {REMEDY}")
    size = config["size"]
    if not (isinstance(size, list) and len(size) == 2 and all(type(side) is int and side > 0 for side in size)):
        raise InputError(f"{config_file}: size: expected [height, width] in pixels, got {size!r}; {REMEDY}")
    state = load_tensors(weights_file, REMEDY)
    if not isinstance(state, dict):
        raise InputError(f"{weights_file}: expected weights of networks by name, got {type(state).__name__}; {REMEDY}")
    return METHODS[config["method"]], config, state
