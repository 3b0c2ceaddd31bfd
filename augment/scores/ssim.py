"""Structural similarity (SSIM) of image pairs (Wang et al. 2004), in two variants that are not comparable.

With local means m, variances v and covariance c of two images x and y, weighted by a window around each pixel,

    SSIM = (2 m_x m_y + C1) (2 c + C2) / ((m_x^2 + m_y^2 + C1) (v_x + v_y + C2)),  C1 = (0.01 R)^2,  C2 = (0.03 R)^2,

averaged over the channels and over the pixels that are not too near the border. R is the range of the grey levels.

Window, border and R are not the same in all papers: `released` is the SSIM of the Deformable GANs' code, `pg2` that of
PG2. Table 1 of the journal paper has values of both in one column.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from reid.common.errors import InputError


@dataclass(frozen=True)
class Settings:
    """The choices that make a variant of SSIM.

    Args:
        window: weights of the window along one axis, odd in number; they sum to 1.
        border: width in pixels of the border that is left out of the average.
        correction: factor of variances and covariance: 1, or n / (n - 1) for unbiased estimates from n pixels.
        data_range: R; None is the maximum minus the minimum of each generated image, over all channels.
    """

    window: tuple[float, ...]
    border: int
    correction: float
    data_range: float | None


def gaussian(sigma: float, radius: int) -> tuple[float, ...]:
    """A Gaussian window of 2 radius + 1 weights that sum to 1."""
    weights = [math.exp(-(x**2) / (2 * sigma**2)) for x in range(-radius, radius + 1)]
    return tuple(weight / sum(weights) for weight in weights)


SETTINGS: dict[str, Settings] = {
    # The Deformable GANs' test script with scikit-image 0.13.1, which takes a Gaussian window of 13 weights but leaves
    # out the border of one of 11.
    "released": Settings(gaussian(1.5, radius=6), border=5, correction=1.0, data_range=None),
    # PG2's test script (Ma et al. 2017): scikit-image's defaults for uint8 images.
    "pg2": Settings((1 / 7,) * 7, border=3, correction=49 / 48, data_range=255.0),
}


def ssim(generated: Tensor, reference: Tensor, settings: str = "released") -> Tensor:
    """SSIM (B,) float64 of images and their references; 1 for equal images.

    Where R is 0, because the generated image is of one colour, the formula may be 0 / 0: the result is then 1 if the
    images are equal, otherwise 0.

    Args:
        generated: (B, 3, H, W) in 0..255, uint8 or float.
        reference: (B, 3, H, W) in 0..255, uint8 or float.
        settings: key of SETTINGS.

    Raises:
        InputError: shapes differ, or images are smaller than the window.

    Example:
        >>> import torch
        >>> from augment.scores.ssim import ssim
        >>> image = 2.0 * torch.arange(64).expand(1, 3, 128, 64)  # grey levels from 0 to 126
        >>> ssim(image, image)
        tensor([1.], dtype=torch.float64)
        >>> ssim(image, image + 50, "released"), ssim(image, image + 50, "pg2")
        (tensor([0.7872], dtype=torch.float64), tensor([0.7739], dtype=torch.float64))
    """
    how = SETTINGS[settings]
    if generated.shape != reference.shape or generated.ndim != 4 or min(generated.shape[2:]) < len(how.window):
        raise InputError(
            f"SSIM: expected two batches of images (B, 3, H, W) of equal shape and at least {len(how.window)} x "
            f"{len(how.window)} pixels, got {tuple(generated.shape)} and {tuple(reference.shape)}"
        )
    x, y = generated.double(), reference.double()  # float32 loses the variances of images without contrast
    if how.data_range is None:
        data_range = (x.amax((1, 2, 3)) - x.amin((1, 2, 3)))[:, None, None, None]
    else:
        data_range = torch.full_like(x[:, :1, :1, :1], how.data_range)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2

    mean_x, mean_y = _local_mean(x, how), _local_mean(y, how)
    var_x = how.correction * (_local_mean(x * x, how) - mean_x**2)
    var_y = how.correction * (_local_mean(y * y, how) - mean_y**2)
    covariance = how.correction * (_local_mean(x * y, how) - mean_x * mean_y)
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    values = (similarity / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))).mean((1, 2, 3))
    return torch.where(data_range.flatten() > 0, values, (x == y).flatten(1).all(1).double())


def _local_mean(images: Tensor, how: Settings) -> Tensor:
    """Local means of images (B, 3, H, W) at the pixels inside the border; the images are mirrored at their edge."""
    vertical, horizontal = (_averaging(side, how).to(images) for side in images.shape[2:])
    return vertical @ images @ horizontal.T


def _averaging(side: int, how: Settings) -> Tensor:
    """The matrix (side - 2 border, side) that takes local means along an axis of `side` pixels.

    Beyond the edge pixels repeat in reverse order, the outermost pixel first: pixel -1 is pixel 0.
    """
    matrix = torch.zeros(side - 2 * how.border, side, dtype=torch.float64)
    for output in range(len(matrix)):
        for offset, weight in enumerate(how.window):
            pixel = output + how.border + offset - len(how.window) // 2
            matrix[output, -1 - pixel if pixel < 0 else min(pixel, 2 * side - 1 - pixel)] += weight
    return matrix
