"""The generator of PG2's second stage: what is to be added to the coarse image."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from augment.networks.residual_unet import WIDTH, coarsest


class Refiner(nn.Module):
    """A U-Net without a vector at its coarsest level, whose decoder has as many filters at each level.

    As released: numbers of filters of the encoder grow linearly with each level, all convolutions but the last one are
    followed by a ReLU, and there is neither normalisation nor noise.

    Args:
        size: (H, W) of the images, which can be halved levels - 1 times.
        width: filters of the finest level, and of all of the decoder.
        levels: of the U-Net.
        finest: whether the finest level has a skip connection too: as released at 256 pixels, not at 128.
    """

    def __init__(self, size: tuple[int, int], width: int = WIDTH, levels: int = 3, finest: bool = False):
        super().__init__()
        coarsest(size, levels)
        self.skips = [finest or level > 0 for level in range(levels)]
        filters = [width * level for level in range(1, levels + 1)]
        self.first = nn.Conv2d(6, width, 3, 1, 1)
        self.encoder = nn.ModuleList(
            _block(inputs, own) for inputs, own in zip([width, *filters], filters, strict=False)
        )
        self.downs = nn.ModuleList(nn.Conv2d(own, own, 3, 2, 1) for own in filters[:-1])
        below = [width] * (levels - 1) + [filters[-1]]  # channels that come from below, fine to coarse
        joined = [under + own * skip for under, own, skip in zip(below, filters, self.skips, strict=True)]
        self.decoder = nn.ModuleList(_block(channels, width) for channels in reversed(joined))
        self.last = nn.Conv2d(width, 3, 3, 1, 1)

    def forward(self, coarse: Tensor, source: Tensor) -> Tensor:
        """The difference (B, 3, H, W), without a bound, of coarse images and source images (B, 3, H, W) in [-1, 1]."""
        x = F.relu(self.first(torch.cat([coarse, source], 1)))
        levels = []
        for block, down in itertools.zip_longest(self.encoder, self.downs):
            x = block(x)
            levels.append(x)
            if down is not None:
                x = F.relu(down(x))
        for block, level, skip in zip(self.decoder, reversed(levels), reversed(self.skips), strict=True):
            if level is not levels[-1]:
                x = F.interpolate(x, scale_factor=2)
            x = block(torch.cat([x, level], 1) if skip else x)
        difference: Tensor = self.last(x)
        return difference


def _block(inputs: int, outputs: int) -> nn.Sequential:
    """Two 3x3 convolutions, each with a ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, 1, 1), nn.ReLU(), nn.Conv2d(outputs, outputs, 3, 1, 1), nn.ReLU()
    )
