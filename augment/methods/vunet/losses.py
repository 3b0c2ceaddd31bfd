"""The loss of VUNet: a perceptual reconstruction, and the divergence of the codes' posterior from their prior."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from augment.networks.features import VGG, Pixels

GREY_LEVELS = 127.5  # of one unit of images in [-1, 1]: the pixels' term is in grey levels, as the VGG's input is


def perceptual(features: Pixels | VGG, layers: Sequence[str], generated: Tensor, wanted: Tensor) -> Tensor:
    """The sum of the mean absolute differences of the pixels, in grey levels, and of layers of a VGG.

    Args:
        features: whose layers are compared.
        layers: of it, in its order.
        generated: (B, 3, H, W), about in [-1, 1].
        wanted: (B, 3, H, W) in [-1, 1].

    Returns:
        a scalar.
    """
    total = GREY_LEVELS * (generated - wanted).abs().mean()
    with torch.no_grad():
        goals = features.outputs(wanted, layers)
    for found, goal in zip(features.outputs(generated, layers), goals, strict=True):
        total = total + (found.float() - goal.float()).abs().mean()
    return total


def divergence(posteriors: Sequence[Tensor], priors: Sequence[Tensor]) -> Tensor:
    """The Kullback-Leibler divergence of Gaussians of unit variance with means (B, C, H, W), of one stage each.

    Returns:
        a scalar: half of the squared differences, summed over stages and dimensions, averaged over the batch.
    """
    each = [0.5 * (q.float() - p.float()).square().sum((1, 2, 3)) for q, p in zip(posteriors, priors, strict=True)]
    return torch.stack(each).sum(0).mean()


def ramp(iteration: int, start: int, end: int, first: float, last: float) -> float:
    """`first` up to iteration `start`, `last` from `end` on, and on a line between.

    Example:
        >>> [ramp(iteration, 10, 20, 0.0, 1.0) for iteration in (0, 10, 15, 20, 30)]
        [0.0, 0.0, 0.5, 1.0, 1.0]
    """
    share = (iteration - start) / max(end - start, 1)
    return first + (last - first) * min(max(share, 0.0), 1.0)
