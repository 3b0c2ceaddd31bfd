"""The U-Net of PG2 and DPIG: residual blocks, stride-2 convolutions, and a small vector at the coarsest level.

As released: numbers of filters grow linearly with each level; all convolutions but the last one are followed by a ReLU,
the linear layers by nothing; and there is no normalisation. Convolutions of stride 2 are padded on all sides here; in
TensorFlow they are padded on the right and below only.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reid.common.errors import InputError

WIDTH = 128  # filters of the finest level, and by which each coarser one has more


class Residual(nn.Module):
    """Two 3x3 convolutions, each with a ReLU, and the input added."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, 1, 1)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        return x + F.relu(self.second(F.relu(self.first(x))))


class Levels(nn.Module):
    """Residual blocks, each but the last followed by a 3x3 convolution of stride 2 with a ReLU.

    Args:
        width: channels of the input and of the first block; block i has i times as many.
        count: blocks.
    """

    def __init__(self, width: int, count: int):
        super().__init__()
        channels = [width * level for level in range(1, count + 1)]
        self.blocks = nn.ModuleList(Residual(own) for own in channels)
        self.downs = nn.ModuleList(nn.Conv2d(own, more, 3, 2, 1) for own, more in itertools.pairwise(channels))

    def forward(self, x: Tensor) -> list[Tensor]:
        """What each block gives for x (B, width, H, W): (B, i width, H / 2^(i-1), W / 2^(i-1)) for i = 1, 2, ..."""
        levels = []
        for block, down in itertools.zip_longest(self.blocks, self.downs):
            x = block(x)
            levels.append(x)
            if down is not None:
                x = F.relu(down(x))
        return levels


class ResidualUNet(nn.Module):
    """From maps to an image, without a bound on its values.

    Args:
        size: (H, W), which can be halved count - 1 times.
        inputs: channels of the input.
        width: channels of the finest level.
        count: levels.
        code: dimensions of the vector at the coarsest level.

    Raises:
        InputError: the size cannot be halved that often.
    """

    def __init__(self, size: tuple[int, int], inputs: int, width: int = WIDTH, count: int = 5, code: int = 64):
        super().__init__()
        self.coarsest = coarsest(size, count)
        cells = self.coarsest[0] * self.coarsest[1]
        self.first = nn.Conv2d(inputs, width, 3, 1, 1)
        self.levels = Levels(width, count)
        self.to_code = nn.Linear(count * width * cells, code)
        self.from_code = nn.Linear(code, width * cells)
        below = [width, *(level * width for level in range(count - 1, 0, -1))]  # channels that come from below
        joined = [own + level * width for own, level in zip(below, range(count, 0, -1), strict=True)]
        self.blocks = nn.ModuleList(Residual(channels) for channels in joined)
        self.ups = nn.ModuleList(nn.Conv2d(own, less, 1) for own, less in zip(joined, below[1:], strict=False))
        self.last = nn.Conv2d(joined[-1], 3, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, inputs, H, W) to images (B, 3, H, W)."""
        return self.after_first(self.first(x))

    def after_first(self, x: Tensor) -> Tensor:
        """Images (B, 3, H, W) from what the first convolution gives, (B, width, H, W), before its ReLU."""
        levels = self.levels(F.relu(x))
        x = self.from_code(self.to_code(levels[-1].flatten(1))).unflatten(1, (-1, *self.coarsest))
        for block, up, level in itertools.zip_longest(self.blocks, self.ups, reversed(levels)):
            x = block(torch.cat([x, level], 1))
            if up is not None:  # a 1x1 convolution commutes with repeating pixels, and is cheaper before it
                x = F.interpolate(F.relu(up(x)), scale_factor=2)
        images: Tensor = self.last(x)
        return images


def coarsest(size: tuple[int, int], count: int) -> tuple[int, int]:
    """(H, W) of the coarsest of so many levels, each half as large as the one before.

    Raises:
        InputError: the size cannot be halved that often.
    """
    stride = 2 ** (count - 1)
    if size[0] % stride or size[1] % stride:
        raise InputError(
            f"image_size: expected height and width that are multiples of {stride}, since they are halved {count - 1} "
            f"times, got {size[0]}x{size[1]}: set image_size to such multiples"
        )
    return size[0] // stride, size[1] // stride
