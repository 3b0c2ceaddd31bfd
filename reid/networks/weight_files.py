"""Files of pretrained weights for networks that are not ours: a state dict, or a checkpoint that holds one."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path

from torch import Tensor, nn

from reid.common.errors import InputError
from reid.common.saved import load_tensors
from reid.files.weights import MissingWeights

# torchvision's files of DenseNets still say `denselayer1.norm.1` for what its networks call `denselayer1.norm1`.
DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")
SHOWN = 4  # missing, unexpected or misshapen keys that an error names


def load_weights(network: nn.Module, path: str | Path, name: str, heads: Sequence[str] = ()) -> None:
    """Load a file's weights into a network, in place.

    Args:
        network: without its classifier.
        path: what torch saved: a state dict, or a dict with one as `state_dict`; a prefix `module.` is taken off.
        name: the network's, for errors.
        heads: names of modules that the network lacks; the file's weights of them are ignored.

    Raises:
        MissingWeights: there is no such file.
        InputError: the file cannot be read, or its weights are not the network's; the message names file and keys.
    """
    state = _read(Path(path), name)
    for key in [key for key in state if any(key.startswith(f"{head}.") for head in heads)]:
        del state[key]
    own = network.state_dict()
    misshapen = [
        f"{key} {list(value.shape)} instead of {list(own[key].shape)}"
        for key, value in state.items()
        if key in own and value.shape != own[key].shape
    ]
    if not misshapen:
        missing, unexpected = network.load_state_dict(state, strict=False)
        missing = [key for key in missing if not key.endswith("num_batches_tracked")]  # old files have none
    else:
        missing, unexpected = sorted(own.keys() - state.keys()), [key for key in state if key not in own]
    faults = {"missing": missing, "unexpected": unexpected, "of another shape": misshapen}
    if any(faults.values()):
        listed = "; ".join(f"{len(keys)} {fault}: {_some(keys)}" for fault, keys in faults.items() if keys)
        raise InputError(f"{path} does not hold the weights of {name}: {listed}; give a file made for {name}")


def _read(path: Path, name: str) -> OrderedDict[str, Tensor]:
    """The state dict in a file."""
    if not path.is_file():
        raise MissingWeights(f"weights of {name}: {path} does not exist; put the file there, or correct `weights`")
    content = load_tensors(
        path,
        "or it holds more than tensors, as torchreid's own checkpoints do: where you trust it, save its `state_dict` "
        "alone into a new file",
    )
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not (isinstance(content, dict) and content and all(isinstance(value, Tensor) for value in content.values())):
        raise InputError(
            f"{path}: expected a state dict, or a dict with one as `state_dict`; it holds {_kind(content)}"
        )
    state = OrderedDict((_renamed(key), value) for key, value in content.items())
    if (versions := getattr(content, "_metadata", None)) is not None:  # by which some modules convert old files
        state._metadata = OrderedDict((_renamed(f"{key}.")[:-1], value) for key, value in versions.items())  # type: ignore[attr-defined]
    return state


def _renamed(key: str) -> str:
    return DENSENET.sub(r"\1\2", key.removeprefix("module."))


def _kind(content: object) -> str:
    return f"a dict of {_some(map(str, content))}" if isinstance(content, dict) else f"a {type(content).__name__}"


def _some(keys: Iterable[str]) -> str:
    first = list(keys)
    return ", ".join(first[:SHOWN]) + (", ..." if len(first) > SHOWN else "")
