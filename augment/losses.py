"""Losses, one value a sample: adversarial (Eq. 5) and nearest-neighbour (Eq. 7 and 8). The training loop reduces."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from augment.conventions import Convention
from reid.common.errors import InputError

EPSILON = 1e-7  # inside the logarithms, as released


def generator_adversarial(fake: Tensor) -> Tensor:
    """-log D(fake), the non-saturating form of Eq. 5 that was released.

    Args:
        fake: (B, patches) probabilities for generated images.

    Returns:
        (B,) mean over patches.
    """
    return -(fake + EPSILON).log().mean(1)


def discriminator_adversarial(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(real) - log(1 - D(fake)) (Eq. 5).

    Args:
        real: (B, patches) probabilities for real images.
        fake: (B, patches) probabilities for generated images.

    Returns:
        (B,) mean over patches.
    """
    return -(real + EPSILON).log().mean(1) - (1 - fake + EPSILON).log().mean(1)


def nearest_neighbour(generated: Tensor, target: Tensor, size: int, convention: Convention = "released") -> Tensor:
    """L_NN: each position of the generated image against the best one nearby in the target (Eq. 8).

    L = mean_p min_{q in N(p)} ||C_generated(p) - C_target(q)||_1: a sum over channels (Eq. 12) and, as released, a mean
    over positions; the text sums (Eq. 15). Neighbours outside the image do not count; size 1 is the plain L1 distance,
    on pixels that of Eq. 6.

    Args:
        generated: (B, C, H, W) features g of generated images.
        target: (B, C, H, W) features g of the real images; treated as constant.
        size: n, odd, of the n x n neighbourhood N(p).
        convention: mean or sum over positions.

    Returns:
        (B,), differentiable in `generated`.
    """
    if generated.shape != target.shape:
        raise InputError(f"features differ in shape: {tuple(generated.shape)} and {tuple(target.shape)}")
    if size < 1 or size % 2 == 0:
        raise InputError(f"the neighbourhood's size must be odd and positive, got {size}")
    mean = _NearestNeighbour.apply(generated, target, size)
    return mean * (generated.shape[2] * generated.shape[3]) if convention == "paper" else mean


class _NearestNeighbour(torch.autograd.Function):
    """Finds the nearest neighbours without a graph; keeps one sign a value for the gradient.

    Stacking the n^2 shifted targets needs n^2 times the memory and several times the time.
    """

    @staticmethod
    def forward(ctx: Any, generated: Tensor, target: Tensor, size: int) -> Tensor:
        a, b = (maps.permute(0, 2, 3, 1).contiguous() for maps in (generated, target))  # (B, H, W, C)
        batch, height, width, channels = a.shape
        least = torch.full((batch, height, width), torch.inf, dtype=a.dtype, device=a.device)
        nearest = torch.zeros((batch, height, width), dtype=torch.long, device=a.device)
        rows = torch.arange(batch * height * width, device=a.device).view(batch, height, width)
        reach = size // 2
        for down in range(-reach, reach + 1):
            for right in range(-reach, reach + 1):
                here = (slice(None), _overlap(height, -down), _overlap(width, -right))
                there = (slice(None), _overlap(height, down), _overlap(width, right))
                distance = (a[here] - b[there]).abs_().sum(-1)  # Eq. 11 to 13
                closer = distance < least[here]
                least[here] = torch.where(closer, distance, least[here])  # Eq. 14
                nearest[here] = torch.where(closer, rows[there], nearest[here])
        if ctx.needs_input_grad[0]:
            winner = b.view(-1, channels).index_select(0, nearest.view(-1))
            ctx.save_for_backward(torch.sub(a.view(-1, channels), winner, out=winner).sign_().to(torch.int8))
            ctx.shape = a.shape
        return least.mean((1, 2))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (sign,) = ctx.saved_tensors
        _, height, width, _ = ctx.shape
        gradient = gradients[0] / (height * width)
        return (sign.to(gradient.dtype).view(ctx.shape) * gradient.view(-1, 1, 1, 1)).permute(0, 3, 1, 2), None, None


def _overlap(length: int, shift: int) -> slice:
    """Positions p in 0..length-1 for which p - shift is one too."""
    return slice(max(0, shift), length + min(0, shift))
