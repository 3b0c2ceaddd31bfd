"""Mean absolute difference of image pairs."""

from __future__ import annotations

from torch import Tensor


def l1(generated: Tensor, reference: Tensor) -> Tensor:
    """Mean absolute difference (B,) of images (B, 3, H, W) in 0..255, in [0, 2]: of values in [-1, 1], as released.

    Example:
        >>> import torch
        >>> from augment.scores.l1 import l1
        >>> black = torch.zeros(1, 3, 128, 64)
        >>> l1(black, black + 255), l1(black, black)
        (tensor([2.], dtype=torch.float64), tensor([0.], dtype=torch.float64))
    """
    return (generated.double() - reference.double()).abs().mean((1, 2, 3)) / 127.5
