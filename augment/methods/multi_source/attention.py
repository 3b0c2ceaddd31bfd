"""The attention-based decoder (Sec. 3.2): where and in which channels it looks at which source."""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from augment.conventions import Convention
from augment.networks.blocks import SampleNorm, normalisation

Fusion = Literal["full", "spatial", "average"]
EPSILON = 1e-7  # attention before normalisation is at least so much, as released, and at most 1 less it


class Attention(nn.Module):
    """A_r^i (Eq. 3): a spatial attention g times a channel attention f, both in 0..1; `spatial` is g alone (Att. 2D).

    As released it also sees the normalised attention of the level before, at twice its resolution, and f pools what was
    normalised over all channels and positions; in the text it sees neither.

    What it sees, [psi, xi, attention before], is never laid out as one tensor, which would be the largest of the
    network: g is a sum of convolutions of the three, and f needs only their means and sums of squares.

    Args:
        decoded: channels of psi.
        source: channels of xi, of a source.
        before: channels of the attention of the level before; 0 for none.
        fusion: `full` or `spatial`.
        convention: released or text.
    """

    def __init__(self, decoded: int, source: int, before: int, fusion: Fusion, convention: Convention):
        super().__init__()
        self.inputs = [decoded, source, before]
        self.spatial = nn.Conv2d(sum(self.inputs), 1, 1)
        self.norm = SampleNorm() if fusion == "full" and convention != "paper" else None
        hidden = max(1, (decoded + source if convention == "paper" else source) // 4)
        self.channel = (
            nn.Sequential(nn.Linear(sum(self.inputs), hidden), nn.ReLU(), nn.Linear(hidden, source))
            if fusion == "full"
            else None
        )

    def forward(self, decoded: Tensor, source: Tensor, before: Tensor | None, whose: Tensor) -> Tensor:
        """Attention of V sources of B samples, not normalised.

        Args:
            decoded: psi (B, D, h, w) of each sample.
            source: xi (V, C, h, w).
            before: normalised attention (V, C', h / 2, w / 2) of the level before.
            whose: (V,) the sample that each source is of.

        Returns:
            (V, C, h, w); (V, 1, h, w) of the spatial attention alone.
        """
        weights = self.spatial.weight.split(self.inputs, 1)
        seen = F.conv2d(decoded, weights[0], self.spatial.bias).float()[whose] + F.conv2d(source, weights[1]).float()
        if before is not None:  # which is convolved first and upsampled then: that is the same
            seen = seen + upsampled(F.conv2d(before, weights[2]).float())
        attention = torch.sigmoid(seen)
        if self.channel is None:
            return attention
        channels = torch.sigmoid(self.channel(self._pooled(decoded, source, before, whose)).float())
        # Channels last, as the features are: for (V, 1, h, w) times (V, C, 1, 1) torch would take the other layout.
        return (attention.permute(0, 2, 3, 1) * channels[:, None, None]).permute(0, 3, 1, 2)

    def _pooled(self, decoded: Tensor, source: Tensor, before: Tensor | None, whose: Tensor) -> Tensor:
        """The means (V, D + C + C') over the positions of what it sees; with `norm`, normalised by each source."""
        (of_decoded, squares_decoded), (of_source, squares_source) = moments(decoded), moments(source)
        means, squares = [of_decoded[whose], of_source], squares_decoded[whose] + squares_source
        if before is not None:
            means.append(before.mean((2, 3)))
            squares = squares + squares_upsampled(before)
        pooled = torch.cat(means, 1)
        if self.norm is None:
            return pooled
        mean = pooled.mean(1, keepdim=True)
        variance = squares[:, None] / (pooled.shape[1] * source[0, 0].numel()) - mean**2
        deviation = (variance.clamp_min(0) + self.norm.eps).sqrt()
        return (pooled - mean) / deviation * self.norm.gain + self.norm.bias


class Repeated(nn.Module):
    """The released attention of the finest level above 128 pixels: a convolution of that of the level before."""

    def __init__(self, before: int):
        super().__init__()
        self.convolution = nn.Conv2d(before, 1, 3, 1, 1)

    def forward(self, decoded: Tensor, source: Tensor, before: Tensor | None, whose: Tensor) -> Tensor:
        """As `Attention`, of the third argument alone; (V, 1, h, w)."""
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
            attention = normalised(self.coarsest(x, levels[-1], None, whose), whose, count)
            x = torch.cat([x, fused(attention, levels[-1], whose, count)], 1)
        for up, attend, source in zip(self.ups, self.attentions, reversed(levels[:-1]), strict=True):
            decoded = up(x)
            before = None if self.text else attention
            attention = normalised(attend(decoded, source, before, whose), whose, count)
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


def squares_upsampled(values: Tensor) -> Tensor:
    """The sums (V,) of the squares of `upsampled(values)`, of values (V, C, h, w), at their own resolution.

    Along one axis, a value makes three quarters of the two nearest positions and a quarter of the two next; at an edge
    what would fall outside falls on the edge. So the sum of squares is x' G x, with 1.25 on the diagonal of G, 0.375
    beside it, and 0.375 more in its corners.
    """
    rows, columns = (_gram(length, values) for length in values.shape[2:])
    with torch.autocast(values.device.type, enabled=False):  # a variance is the difference of such sums
        return (values * (rows @ values @ columns)).sum((1, 2, 3))


def _gram(length: int, like: Tensor) -> Tensor:
    beside = torch.diag(like.new_full((length - 1,), 0.375), 1)
    gram = torch.diag(like.new_full((length,), 1.25)) + beside + beside.T
    gram[0, 0] += 0.375
    gram[-1, -1] += 0.375
    return gram


class _Moments(torch.autograd.Function):
    """As `moments`; its backward pass reads the values once, where that of two sums would make five passes of them."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(values)
        squares = torch.linalg.vector_norm(values, dim=(1, 2, 3), dtype=torch.float32) ** 2
        return values.mean((2, 3), dtype=torch.float32), squares

    @staticmethod
    def backward(ctx: Any, of_means: Tensor, of_squares: Tensor) -> Tensor:
        (values,) = ctx.saved_tensors
        constant, factor = of_means[:, :, None, None] / values[0, 0].numel(), 2 * of_squares[:, None, None, None]
        return torch.addcmul(constant.to(values.dtype), values, factor.to(values.dtype))


def moments(values: Tensor) -> tuple[Tensor, Tensor]:
    """Of values (B, C, h, w), the means (B, C) over the positions and the sums (B,) of the squares, in float32."""
    return cast(tuple[Tensor, Tensor], _Moments.apply(values))


def _sums(values: Tensor, whose: Tensor, count: int) -> Tensor:
    """The sums (B, ...) of values (V, ...) over each sample's sources, added channels last, as they are laid out."""
    rows = values.movedim(1, -1) if values.dim() > 1 else values
    sums = rows.new_zeros((count, *rows.shape[1:])).index_add(0, whose, rows)
    return sums.movedim(-1, 1) if values.dim() > 1 else sums
