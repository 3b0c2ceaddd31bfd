"""A trained generator in a folder: `config.json` (which one, how built) and `generator.pt` (its weights)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from reid.common.checkpoints import load_json, load_tensors


def save(generator: torch.nn.Module, name: str, options: dict[str, Any], folder: Path) -> None:
    """Write a generator built as `GENERATORS[name](**options)`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"generator": name, "options": options}, indent=2) + "\n")
    state = {key: value.cpu() for key, value in generator.state_dict().items()}
    with (folder / "generator.pt").open("wb") as file:  # by handle: a path would be written into the file
        torch.save(state, file)


def load(folder: str | Path, device: torch.device | str = "cpu") -> Any:
    """A trained generator, ready to generate; raises FileNotFoundError naming what is missing."""
    from augment.generators import GENERATORS

    folder = Path(folder)
    for file in ("config.json", "generator.pt"):
        if not (folder / file).exists():
            raise FileNotFoundError(
                f"{folder / file} does not exist: {folder} holds no trained generator; run train-gan"
            )
    config = load_json(folder / "config.json", ("generator", "options"), "run `dvc checkout -f`, or train-gan again")
    options = config["options"] | {"size": tuple(config["options"]["size"])}
    generator = GENERATORS[config["generator"]](**options)
    generator.load_state_dict(load_tensors(folder / "generator.pt", "run `dvc checkout -f`, or train-gan again"))
    return generator.to(device).eval()
