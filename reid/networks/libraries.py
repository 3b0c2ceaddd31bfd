"""Networks of other libraries without their classifiers: torchvision's for classification, and torchreid's.

They are made with random weights, so that neither library downloads anything.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from torch import nn

from reid.common.errors import InputError

# Without auxiliary classifiers, with torch's own initialisation instead of a slow one, and with inputs brought from
# ImageNet's statistics to those that the published weights were trained on.
OPTIONS = {
    name: {"aux_logits": False, "init_weights": False, "transform_input": True}
    for name in ("googlenet", "inception_v3")
}
AUXILIARY = ("aux1", "aux2", "AuxLogits")  # auxiliary classifiers in the published weights of those two


def torchvision_names() -> list[str]:
    """Torchvision's classification networks."""
    from torchvision import models

    return models.list_models(module=models)


def _torchvision(model: str) -> tuple[nn.Module, tuple[str, ...], int]:
    """A network whose classifier, its last layer, is replaced by the identity; returns what `Library.make` does."""
    from torchvision.models import get_model

    network: nn.Module = get_model(model, weights=None, **OPTIONS.get(model, {}))
    kind = nn.Conv2d if model.startswith("squeezenet") else nn.Linear  # SqueezeNet classifies by a convolution
    path, last = [item for item in network.named_modules() if isinstance(item[1], kind)][-1]
    network.set_submodule(path, nn.Identity())
    dimensions = last.in_features if isinstance(last, nn.Linear) else last.in_channels
    return network, (path, *AUXILIARY), dimensions


def _torchvision_hint(model: str) -> str:
    from torchvision.models import get_model_weights

    files = sorted({weights.url.rsplit("/", 1)[1] for weights in get_model_weights(model)})
    return f"torchvision publishes {' and '.join(files)}"


def _torchreid_models() -> Any:
    try:
        with warnings.catch_warnings():  # of its evaluation without Cython, and of what it imports
            warnings.simplefilter("ignore")
            from torchreid.reid import models
    except ImportError as error:
        raise InputError(
            f"torchreid's networks need it and what it imports ({error}): `make developer` installs what "
            "requirements/developer.lock names"
        ) from error
    return models


def _torchreid_names() -> list[str]:
    return sorted(getattr(_torchreid_models(), "__model_factory"))


def _torchreid(model: str) -> tuple[nn.Module, tuple[str, ...], None]:
    """A network whose classifiers are replaced by identities; returns what `Library.make` does.

    With `loss="triplet"`, torchreid's networks return features in training mode too.
    """
    network: nn.Module = _torchreid_models().build_model(model, 1, loss="triplet", pretrained=False, use_gpu=False)
    heads = [name for name, _ in network.named_children() if name.startswith("classifier")]
    if model.startswith("pcb"):
        heads.append("conv5")  # reduces the dimensions for its classifiers
    for head in heads:
        child = network.get_submodule(head)
        parts = [nn.Identity() for _ in child] if isinstance(child, nn.ModuleList) else None
        setattr(network, head, nn.ModuleList(parts) if parts else nn.Identity())
    if not any(name == "fc" for name, _ in network.named_children()):
        heads.append("fc")  # the classifier's name in torchvision's weights, which ResNets and PCB can load
    return network, tuple(heads), None


class Library(NamedTuple):
    """How to get the networks of a library.

    Args:
        names: gives the names of its networks.
        make: makes the network of a name: images (B, 3, H, W) to features (B, D). Returns the network without its
            classifier; the names of modules that published weights have and the network lacks, which loading ignores;
            and D, or None where the library does not say it.
        hint: says for a name where weights are published.
    """

    names: Callable[[], list[str]]
    make: Callable[[str], tuple[nn.Module, tuple[str, ...], int | None]]
    hint: Callable[[str], str]


LIBRARIES = {
    "torchvision": Library(torchvision_names, _torchvision, _torchvision_hint),
    "torchreid": Library(_torchreid_names, _torchreid, lambda model: "torchreid's model zoo lists what there is"),
}
