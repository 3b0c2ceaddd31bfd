"""Structural similarity (SSIM) of image pairs, Wang et al. 2004, as the two scores that tables of this field mix.

With local means m, variances v and covariance c of two images x and y, weighted by a window around each pixel,

    SSIM = (2 m_x m_y + C1) (2 c + C2) / ((m_x^2 + m_y^2 + C1) (v_x + v_y + C2)),  C1 = (0.01 R)^2,  C2 = (0.03 R)^2,

averaged over pixels at some distance from the border, then over the channels. R is the range of the grey levels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from reid.common.errors import InputError


@dataclass(frozen=True)
class Settings:
    """What defines an SSIM.

    Args:
        window: weights of the window along one axis, odd in number; they sum to 1.
        border: pixels along the border that are left out of the average.
        correction: factor of variances and covariance: 1, or n / (n - 1) for the unbiased ones of n pixels.
        data_range: R; None takes each generated image's own maximum minus its minimum, over all channels.
    """

    window: tuple[float, ...]
    border: int
    correction: float
    data_range: float | None


def gaussian(sigma: float, radius: int) -> tuple[float, ...]:
    """Weights of 2 radius + 1 pixels, summing to 1."""
    weights = [math.exp(-(x**2) / (2 * sigma**2)) for x in range(-radius, radius + 1)]
    return tuple(weight / sum(weights) for weight in weights)


SETTINGS: dict[str, Settings] = {
    # The Deformable GANs' test script with scikit-image 0.13.1: a Gaussian of 13 taps, but the border of one of 11.
    "released": Settings(gaussian(1.5, radius=6), border=5, correction=1.0, data_range=None),
    # PG2's (Ma et al. 2017): scikit-image's defaults for uint8.
    "pg2": Settings((1 / 7,) * 7, border=3, correction=49 / 48, data_range=255.0),
}


def ssim(generated: Tensor, reference: Tensor, settings: str = "released") -> Tensor:
    """SSIM (B,) float64 of images and their references.

    Two images without any contrast, for which the formula is 0 / 0 where R is the image's own, count as 1 where they
    are equal and as 0 where they are not.

    Args:
        generated: (B, 3, H, W) in 0..255, uint8 or float.
        reference: the same shape and range.
        settings: key of SETTINGS.

    Raises:
        InputError: shapes differ, or images are smaller than the window.
    """
    how = SETTINGS[settings]
    if generated.shape != reference.shape or generated.ndim != 4 or min(generated.shape[2:]) < len(how.window):
        raise InputError(
            f"ssim: expected two (B, 3, H, W) of at least {len(how.window)} x {len(how.window)} pixels, "
            f"got {tuple(generated.shape)} and {tuple(reference.shape)}"
        )
    x, y = generated.double(), reference.double()  # float32 loses the variances of images without contrast
    if how.data_range is None:
        span = (x.amax((1, 2, 3)) - x.amin((1, 2, 3)))[:, None, None, None]
    else:
        span = torch.full_like(x[:, :1, :1, :1], how.data_range)
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2

    mean_x, mean_y = _local_mean(x, how), _local_mean(y, how)
    var_x = how.correction * (_local_mean(x * x, how) - mean_x**2)
    var_y = how.correction * (_local_mean(y * y, how) - mean_y**2)
    covariance = how.correction * (_local_mean(x * y, how) - mean_x * mean_y)
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    values = (similarity / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))).mean((1, 2, 3))
    return torch.where(span.flatten() > 0, values, (x == y).flatten(1).all(1).double())


def _local_mean(images: Tensor, how: Settings) -> Tensor:
    """Windowed means of (B, 3, H, W) at the pixels that are averaged over, the image mirrored at its border."""
    down, across = (_averaging(side, how).to(images) for side in images.shape[2:])
    return down @ images @ across.T


def _averaging(side: int, how: Settings) -> Tensor:
    """The matrix (side - 2 border, side) that takes windowed means along an axis; the mirror is at the pixels' edge."""
    matrix = torch.zeros(side - 2 * how.border, side, dtype=torch.float64)
    for row in range(len(matrix)):
        for tap, weight in enumerate(how.window):
            pixel = row + how.border + tap - len(how.window) // 2
            matrix[row, -1 - pixel if pixel < 0 else min(pixel, 2 * side - 1 - pixel)] += weight
    return matrix
