"""The networks of VUNet: an encoder of the shape, one of the appearance, and the decoder that joins both.

A level is two residual blocks at one resolution. The codes of an appearance have two stages, at the two coarsest
resolutions, and are Gaussian with unit variance, so that only their means are learnt.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from augment.networks.blocks import scaled
from augment.networks.weight_norm import NormedConvolution

DROPOUT = 0.1
LEVELS = 7  # of shapes, from the image's resolution on; fewer below 128 pixels
FILTERS, MOST_FILTERS = 32, 128  # of the finest level, doubled at each coarser one up to the latter
STAGES = 2  # of the code
GROUPS = 4  # of a stage in its prior: the pixels of 2x2 cells, one after the other


class Residual(nn.Module):
    """The input, and a 3x3 convolution after ELU and dropout of it and, side by side, of a 1x1 convolution of a skip.

    Args:
        channels: of input and output.
        skip: channels of the skip connection; 0 for none.
    """

    def __init__(self, channels: int, skip: int = 0):
        super().__init__()
        self.skip = NormedConvolution(skip, channels, 1) if skip else None
        self.convolution = NormedConvolution(channels * (2 if skip else 1), channels)

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        """(B, channels, H, W), and a skip (B, skip, H, W), to (B, channels, H, W)."""
        inner = x
        if self.skip is not None and skip is not None:
            inner = torch.cat([x, self.skip(F.elu(skip))], 1)
        residual: Tensor = self.convolution(F.dropout(F.elu(inner), DROPOUT, self.training))
        return x + residual


class Up(nn.Module):
    """Twice the resolution: a 3x3 convolution to four times the channels, which become the pixels of 2x2 cells."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.convolution = NormedConvolution(inputs, 4 * outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, 2 H, 2 W)."""
        return F.pixel_shuffle(self.convolution(x), 2)


class Encoder(nn.Module):
    """A 1x1 convolution, then levels with 3x3 convolutions of stride 2 between them.

    Args:
        inputs: channels of the input.
        filters: of the levels, fine to coarse.
    """

    def __init__(self, inputs: int, filters: Sequence[int]):
        super().__init__()
        self.first = NormedConvolution(inputs, filters[0], 1)
        self.levels = nn.ModuleList(nn.ModuleList(Residual(own) for _ in range(2)) for own in filters)
        self.downs = nn.ModuleList(NormedConvolution(own, more, stride=2) for own, more in itertools.pairwise(filters))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, inputs, H, W) to the outputs of all residual blocks, fine to coarse, two for each level."""
        found = []
        x = self.first(x)
        for level, blocks in enumerate(self.levels):
            if level:
                x = self.downs[level - 1](x)
            for block in blocks.children():
                x = block(x)
                found.append(x)
        return found


class Posterior(nn.Module):
    """The codes of an appearance, coarse to fine, from an encoder's blocks; the second depends on the first.

    Args:
        filters: of the encoder's two coarsest levels, the coarser one last.
    """

    def __init__(self, filters: Sequence[int]):
        super().__init__()
        fine, coarse = filters
        self.first = NormedConvolution(coarse, coarse, 1)
        self.blocks = nn.ModuleList([Residual(coarse, coarse), Residual(fine, fine)])
        self.means = nn.ModuleList([NormedConvolution(coarse, coarse), NormedConvolution(fine, fine)])
        self.join = Residual(coarse, 2 * coarse)
        self.up = Up(coarse, fine)

    def forward(self, encoded: Sequence[Tensor], noise: bool) -> tuple[list[Tensor], list[Tensor]]:
        """The means of both stages, (B, C, H, W) each, and the codes: the means, or drawn around them."""
        fine, coarse_skip, coarse = encoded[-3:]
        x = self.blocks[0](self.first(coarse), coarse)
        means = [self.means[0](x)]
        codes = [_drawn(means[0], noise)]
        x = self.up(self.join(x, torch.cat([coarse_skip, codes[0]], 1)))
        means.append(self.means[1](self.blocks[1](x, fine)))
        codes.append(_drawn(means[1], noise))
        return means, codes


class Prior(nn.Module):
    """The means of a stage's code, given the shape: four groups of pixels, each given the code's earlier groups.

    Args:
        channels: of the decoder at this stage, and of its code.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.block = Residual(channels)
        self.means = nn.ModuleList(NormedConvolution(GROUPS * channels, channels) for _ in range(GROUPS))
        self.feedback = nn.ModuleList(Residual(GROUPS * channels, channels) for _ in range(GROUPS - 1))

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """The decoder's features (B, C, H, W) and the code (B, C, H, W) to the means of the code, (B, C, H, W)."""
        features = F.pixel_unshuffle(self.block(x), 2)
        groups = F.pixel_unshuffle(code, 2).unflatten(1, (-1, GROUPS)).unbind(2)
        means = []
        for index, mean in enumerate(self.means):
            means.append(mean(features))
            if index + 1 < GROUPS:
                features = self.feedback[index](features, groups[index])
        return F.pixel_shuffle(torch.stack(means, 2).flatten(1, 2), 2)


class Decoder(nn.Module):
    """The U-Net's second half, coarse to fine, with skips from both blocks of each of the shape encoder's levels.

    Args:
        filters: of the shape encoder's levels, fine to coarse.
    """

    def __init__(self, filters: Sequence[int]):
        super().__init__()
        upwards = list(reversed(filters))
        self.first = NormedConvolution(upwards[0], upwards[0], 1)
        self.before = nn.ModuleList(Residual(own, own) for own in upwards)
        self.after = nn.ModuleList(Residual(own, own) for own in upwards)
        self.priors = nn.ModuleList(Prior(own) for own in upwards[:STAGES])
        self.joins = nn.ModuleList(NormedConvolution(2 * own, own, 1) for own in upwards[:STAGES])
        self.ups = nn.ModuleList(Up(own, less) for own, less in itertools.pairwise(upwards))
        self.last = NormedConvolution(filters[0], 3)

    def forward(self, encoded: Sequence[Tensor], codes: Sequence[Tensor], prior: bool) -> tuple[Tensor, list[Tensor]]:
        """The image (B, 3, H, W) of a shape's blocks with codes, and where wanted the means of the codes' prior."""
        skips, means = list(encoded), list[Tensor]()
        x = self.first(skips[-1])
        for level, (before, after) in enumerate(zip(self.before, self.after, strict=True)):
            x = before(x, skips.pop())
            if level < STAGES:
                if prior:
                    means.append(self.priors[level](x, codes[level]))
                x = self.joins[level](torch.cat([x, codes[level]], 1))
            x = after(x, skips.pop())
            if level < len(self.ups):
                x = self.ups[level](x)
        return self.last(x).float(), means


class Drawn(NamedTuple):
    """What `VariationalUNet` gives."""

    images: Tensor  # (B, 3, S, S), about in [-1, 1]
    posteriors: list[Tensor]  # means of both stages' codes given the appearance, (B, C, H, W) each, coarse to fine
    priors: list[Tensor]  # those given the shape alone, in training


class VariationalUNet(nn.Module):
    """From the body parts of a person and a stickman to an image of the person in the stickman's pose.

    Args:
        inputs: channels of the body parts.
        halved: how often the parts' squares are halved from the image's side: they need as many levels fewer.
        width: scales all filters; 1 is the paper's.
        levels: of shapes.
    """

    initialised: Tensor  # () bool: whether gains and biases were set by data

    def __init__(self, inputs: int, halved: int, width: float = 1.0, levels: int = LEVELS):
        super().__init__()
        filters = scaled(tuple(min(FILTERS * 2**level, MOST_FILTERS) for level in range(levels)), width)
        self.shape = Encoder(3, filters)
        self.appearance = Encoder(inputs, filters[halved:])
        self.posterior = Posterior(filters[-STAGES:])
        self.decoder = Decoder(filters)
        self.register_buffer("initialised", torch.tensor(False))

    def forward(self, parts: Tensor, stickmen: Tensor, learning: bool = False) -> Drawn:
        """Draw people.

        Args:
            parts: (B, inputs, S / 2^halved, S / 2^halved), of the source image.
            stickmen: (B, 3, S, S), of the pose to draw.
            learning: whether codes are drawn around their means, as for training, and the prior's means are computed.
        """
        posteriors, codes = self.posterior(self.appearance(parts), learning)
        images, priors = self.decoder(self.shape(stickmen), codes, learning)
        return Drawn(images, posteriors, priors)


def _drawn(mean: Tensor, noise: bool) -> Tensor:
    """Means (B, C, H, W), or draws around them with unit variance."""
    return mean + torch.randn_like(mean) if noise else mean
