"""The attention-based decoder (Sec. 3.2): where and in which channels it looks at which source."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from augment.conventions import Convention
from augment.networks.blocks import normalisation

Fusion = Literal["full", "spatial", "average"]
EPSILON = 1e-7  # attention before normalisation is at least so much, as released, and at most 1 less it


class Attention(nn.Module):
    """A_r^i (Eq. 3): a spatial attention g times a channel attention f, both in 0..1; `spatial` is g alone (Att. 2D).

    As released it also sees the normalised attention of the level before, and f pools what was normalised over all
    channels and positions; in the text it sees neither.

    Args:
        decoded: channels of psi.
        source: channels of xi, of a source.
        before: channels of the attention of the level before; 0 for none.
        fusion: `full` or `spatial`.
        convention: released or text.
    """

    def __init__(self, decoded: int, source: int, before: int, fusion: Fusion, convention: Convention):
        super().__init__()
        inputs = decoded + source + before
        self.spatial = nn.Conv2d(inputs, 1, 1)
        self.norm: nn.Module = (
            normalisation(inputs, convention) if fusion == "full" and convention != "paper" else nn.Identity()
        )
        hidden = max(1, (decoded + source if convention == "paper" else source) // 4)
        self.channel = (
            nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, source)) if fusion == "full" else None
        )

    def forward(self, decoded: Tensor, source: Tensor, before: Tensor | None) -> Tensor:
        """Attention of V sources, not normalised.

        Args:
            decoded: psi (V, D, h, w), of each source's sample.
            source: xi (V, C, h, w).
            before: normalised attention (V, C', h / 2, w / 2) of the level before.

        Returns:
            (V, C, h, w); (V, 1, h, w) of the spatial attention alone.
        """
        seen = torch.cat([decoded, source, *([] if before is None else [upsampled(before.to(source.dtype))])], 1)
        attention = torch.sigmoid(self.spatial(seen).float())
        if self.channel is None:
            return attention
        channels = torch.sigmoid(self.channel(self.norm(seen).float().mean((2, 3))).float())
        return attention * channels[:, :, None, None]


class Repeated(nn.Module):
    """The released attention of the finest level above 128 pixels: a convolution of that of the level before."""

    def __init__(self, before: int):
        super().__init__()
        self.convolution = nn.Conv2d(before, 1, 3, 1, 1)

    def forward(self, decoded: Tensor, source: Tensor, before: Tensor | None) -> Tensor:
        """As `Attention`, of the last argument alone; (V, 1, h, w)."""
        assert before is not None
        return torch.sigmoid(self.convolution(upsampled(before)).float())


class UpConvolution(nn.Module):
    """ReLU (none in the text), nearest upsampling, 3x3 convolution, normalisation; dropout, the text's noise."""

    def __init__(self, inputs: int, outputs: int, convention: Convention, dropout: float):
        super().__init__()
        self.relu = convention != "paper"
        self.convolution = nn.Conv2d(inputs, outputs, 3, 1, 1)
        self.norm = normalisation(outputs, convention)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) to (B, outputs, 2h, 2w)."""
        x = F.interpolate(F.relu(x) if self.relu else x, scale_factor=2.0, mode="nearest")
        x = self.norm(self.convolution(x))
        if not self.relu:
            x = F.relu(x)
        return F.dropout(x, self.dropout, self.training) if self.dropout else x


class AttentionDecoder(nn.Module):
    """From the levels of all sources to an image: at each resolution, what was drawn so far attends to the sources.

    Args:
        levels: channels of the sources' levels, fine to coarse.
        filters: of the up-convolutions, coarse to fine.
        fusion: `full` or `spatial`.
        convention: as released, there is attention at the coarsest level too, and no noise; in the text not, and noise
            is dropout in the first three blocks, as of the single-source generator.
    """

    def __init__(self, levels: tuple[int, ...], filters: tuple[int, ...], fusion: Fusion, convention: Convention):
        super().__init__()
        text = convention == "paper"
        self.coarsest, before, current = None, 0, levels[-1]
        if not text:
            self.coarsest = Attention(current, current, 0, fusion, convention)
            before = current if fusion == "full" else 1
            current *= 2
        ups, attentions = list[nn.Module](), list[nn.Module]()
        for step, (source, outputs) in enumerate(zip(reversed(levels[:-1]), filters, strict=True)):
            ups.append(UpConvolution(current, outputs, convention, dropout=0.5 if text and step < 3 else 0.0))
            if not text and step == 5:  # of 256 pixels
                attentions.append(Repeated(before))
            else:
                attentions.append(Attention(outputs, source, before, fusion, convention))
            before = 0 if text else (source if fusion == "full" else 1)
            current = outputs + source
        self.ups, self.attentions = nn.ModuleList(ups), nn.ModuleList(attentions)
        self.last = nn.Conv2d(current, 3, 3, 1, 1)
        self.text = text

    def forward(self, levels: list[Tensor], whose: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Draw B images.

        Args:
            levels: of V sources, (V, C, h, w) each, fine to coarse.
            whose: (V,) the sample that each source is of.
            count: B.

        Returns:
            images (B, 3, H, W) in [-1, 1]; and the attention (V, H, W) of each source at the finest level, the mean
            over channels, which sums to 1 over the sources of a sample.
        """
        x = mean_of_sources(levels[-1], whose, count)
        attention: Tensor | None = None
        if self.coarsest is not None:
            attention = normalised(self.coarsest(x[whose], levels[-1], None), whose, count)
            x = torch.cat([x, fused(attention, levels[-1], whose, count)], 1)
        for up, attend, source in zip(self.ups, self.attentions, reversed(levels[:-1]), strict=True):
            decoded = up(x)
            before = None if self.text else attention
            attention = normalised(attend(decoded[whose], source, before), whose, count)
            x = torch.cat([decoded, fused(attention, source, whose, count)], 1)
        assert attention is not None
        return torch.tanh(self.last(F.relu(x)).float()), attention.mean(1)


def normalised(attention: Tensor, whose: Tensor, count: int) -> Tensor:
    """Eq. 4: attention (V, ...) divided by its sum over the sources of each of B samples; exactly 1 for one source.

    Example:
        >>> attention = torch.tensor([0.2, 0.6, 0.5])
        >>> normalised(attention, whose=torch.tensor([0, 0, 1]), count=2)
        tensor([0.2500, 0.7500, 1.0000])
    """
    bounded = attention.clamp(EPSILON, 1 - EPSILON)
    return bounded / _sums(bounded, whose, count)[whose]


def fused(attention: Tensor, source: Tensor, whose: Tensor, count: int) -> Tensor:
    """F_r (Eq. 2): the sum (B, C, h, w) over each sample's sources of their attention times their features."""
    return _sums(attention.to(source.dtype) * source, whose, count)


def mean_of_sources(values: Tensor, whose: Tensor, count: int) -> Tensor:
    """The mean (B, ...) of values (V, ...) over the sources of each sample (Eq. 1)."""
    numbers = whose.bincount(minlength=count).to(values.dtype)
    return _sums(values, whose, count) / numbers.view(-1, *(1,) * (values.dim() - 1))


def upsampled(attention: Tensor) -> Tensor:
    """At twice the resolution, bilinear."""
    return F.interpolate(attention, scale_factor=2.0, mode="bilinear")


def _sums(values: Tensor, whose: Tensor, count: int) -> Tensor:
    return values.new_zeros((count, *values.shape[1:])).index_add(0, whose, values)
