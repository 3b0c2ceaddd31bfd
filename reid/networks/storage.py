"""A trained Re-ID network in a folder: `config.json` (name, options, training set) and `network.pt` (weights)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from reid.common.errors import InputError
from reid.common.parameters import stored_options
from reid.common.saved import fill, load_json, load_tensors, save_json, save_tensors

REMEDY = "run `dvc checkout -f`, or train-reid or refine again, which wrote it"


def save(network: nn.Module, name: str, options: dict[str, Any], folder: Path, about: dict[str, Any]) -> None:
    """Write a network built as `NETWORKS[name](**options)`; `about` is added to its config."""
    save_json({"network": name, "options": options, **about}, folder / "config.json")
    save_tensors({key: value.cpu() for key, value in network.state_dict().items()}, folder / "network.pt")


def load(folder: str | Path, device: torch.device | str = "cpu") -> tuple[Any, dict[str, Any]]:
    """A trained network in evaluation mode, and its config.

    Raises:
        FileNotFoundError: a file is missing; the message names it.
        InputError: a file is damaged, or there is no such network, or it has no such options or weights any more.
    """
    from reid.networks import NETWORKS

    folder = Path(folder)
    for file in ("config.json", "network.pt"):
        if not (folder / file).exists():
            raise FileNotFoundError(
                f"{folder / file} does not exist: {folder} holds no trained network; run train-reid"
            )
    config = load_json(folder / "config.json", ("network", "options"), REMEDY)
    if config["network"] not in NETWORKS:
        raise InputError(
            f"{folder / 'config.json'} names the network {config['network']}; there are {', '.join(NETWORKS)}"
        )
    made = NETWORKS[config["network"]]
    options = stored_options(made, config["options"], {"pretrained"}, folder / "config.json", "run train-reid again")
    network = made(**options, pretrained=False)
    fill(network, load_tensors(folder / "network.pt", REMEDY), folder / "network.pt", REMEDY)
    return network.to(device).eval(), config
