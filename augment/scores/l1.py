"""Mean absolute difference of image pairs."""

from __future__ import annotations

from torch import Tensor


def l1(generated: Tensor, reference: Tensor) -> Tensor:
    """Mean absolute difference (B,) of images (B, 3, H, W) in 0..255, in units of [-1, 1]: from 0 to 2, as released."""
    return (generated.double() - reference.double()).abs().mean((1, 2, 3)) / 127.5
