"""d(F): ways to combine the regions' warped feature maps into one (Eq. 4 and 16, Table 6)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from augment.geometry.warping import Gradient, Interpolation, part_maps, routes, warp

Aggregation = Literal["maximum", "average", "linear"]


class Maximum(nn.Module):
    """The maximum over the regions, for each channel and location; at least zero (Eq. 4).

    Where regions overlap, the strongest activation of each channel is kept.
    """

    def __init__(self, channels: int, regions: int, interpolation: Interpolation, gradient: Gradient = "adjoint"):
        super().__init__()
        self.interpolation, self.gradient = interpolation, gradient

    def forward(self, features: Tensor, affine: Tensor, masks: Tensor, stride: int) -> Tensor:
        """Combine the regions.

        Args:
            features: (B, C, h, w) of the source stream.
            affine: (B, P, 2, 3) target to source pixels of the image.
            masks: (B, P, H, W) bool, in the target image.
            stride: of the feature map with respect to the image.

        Returns:
            (B, C, h, w).
        """
        if self.interpolation == "nearest" and self.gradient == "adjoint":
            return warp(features, routes(affine, masks, stride))
        # Zero takes part, as in `warp`: nearly everywhere some region's mask is zero.
        return part_maps(features, affine, masks, stride, self.interpolation, self.gradient).amax(1).clamp_min(0)


class Average(nn.Module):
    """The mean over the regions whose masks cover a location, zero where none does."""

    def __init__(self, channels: int, regions: int, interpolation: Interpolation, gradient: Gradient = "adjoint"):
        super().__init__()
        self.interpolation, self.gradient = interpolation, gradient

    def forward(self, features: Tensor, affine: Tensor, masks: Tensor, stride: int) -> Tensor:
        """As `Maximum`."""
        covering = masks[:, :, ::stride, ::stride].sum(1, keepdim=True).clamp_min(1)
        return part_maps(features, affine, masks, stride, self.interpolation, self.gradient).sum(1) / covering


class Linear(nn.Module):
    """A weighted sum over the regions, with weights learnt for each location from the warped maps (Eq. 16).

    The weights are the output of a 1x1 convolution of all regions' maps, concatenated along the channels. The text says
    that they sum to one at each location but not how; here a softmax does it.
    """

    def __init__(self, channels: int, regions: int, interpolation: Interpolation, gradient: Gradient = "adjoint"):
        super().__init__()
        self.interpolation, self.gradient = interpolation, gradient
        self.weights = nn.Conv2d(regions * channels, regions, 1)

    def forward(self, features: Tensor, affine: Tensor, masks: Tensor, stride: int) -> Tensor:
        """As `Maximum`."""
        parts = part_maps(features, affine, masks, stride, self.interpolation, self.gradient)
        weights = torch.softmax(self.weights(parts.flatten(1, 2)), 1)
        return (weights[:, :, None] * parts).sum(1)


AGGREGATIONS: dict[str, type[Maximum] | type[Average] | type[Linear]] = {
    "maximum": Maximum,
    "average": Average,
    "linear": Linear,
}
