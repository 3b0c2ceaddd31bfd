"""d(F): how the warped feature maps of the regions become one (Eq. 4 and 16, Table 6)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from augment.geometry.warping import Interpolation, part_maps, routes, warp

Aggregation = Literal["maximum", "average", "linear"]


class Maximum(nn.Module):
    """The largest value of each channel at each location (Eq. 4)."""

    def __init__(self, channels: int, regions: int, interpolation: Interpolation):
        super().__init__()
        self.interpolation = interpolation

    def forward(self, features: Tensor, affine: Tensor, masks: Tensor, stride: int) -> Tensor:
        """Features (B, C, h, w) of this stride, maps (B, P, 2, 3) and masks (B, P, H, W) of the image: (B, C, h, w)."""
        if self.interpolation == "nearest":
            return warp(features, routes(affine, masks, stride))
        # As in the fast version zero takes part: the decoder's ReLU comes next, so nothing below zero counts.
        return part_maps(features, affine, masks, stride, self.interpolation).amax(1).clamp_min(0)


class Average(nn.Module):
    """The mean over the regions whose masks cover a location; zero where none does."""

    def __init__(self, channels: int, regions: int, interpolation: Interpolation):
        super().__init__()
        self.interpolation = interpolation

    def forward(self, features: Tensor, affine: Tensor, masks: Tensor, stride: int) -> Tensor:
        """As `Maximum`."""
        covering = masks[:, :, ::stride, ::stride].sum(1, keepdim=True).clamp_min(1)
        return part_maps(features, affine, masks, stride, self.interpolation).sum(1) / covering


class Linear(nn.Module):
    """A sum with weights that depend on the warped maps and the location (Eq. 16).

    The weights come from a 1x1 convolution of all regions' maps, one beside the other, and sum to one at each location:
    by a softmax, the text names no function.
    """

    def __init__(self, channels: int, regions: int, interpolation: Interpolation):
        super().__init__()
        self.interpolation = interpolation
        self.weights = nn.Conv2d(regions * channels, regions, 1)

    def forward(self, features: Tensor, affine: Tensor, masks: Tensor, stride: int) -> Tensor:
        """As `Maximum`."""
        parts = part_maps(features, affine, masks, stride, self.interpolation)
        weights = torch.softmax(self.weights(parts.flatten(1, 2)), 1)
        return (weights[:, :, None] * parts).sum(1)


AGGREGATIONS: dict[str, type[Maximum] | type[Average] | type[Linear]] = {
    "maximum": Maximum,
    "average": Average,
    "linear": Linear,
}
