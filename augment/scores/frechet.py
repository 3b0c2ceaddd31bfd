"""Frechet distance of two sets of features, each taken for a normal distribution: FID (Heusel et al. 2017).

With means m and covariances C of the two sets,

    d = ||m_1 - m_2||^2 + tr C_1 + tr C_2 - 2 tr (C_1 C_2)^(1/2).

For centred features A and B, rows being images and divided by sqrt(n - 1), C_1 = A'A and C_2 = B'B. The eigenvalues of
C_1 C_2 are those of (AB')(AB')', so the last trace is the sum of the singular values of AB'. Neither a covariance nor
its root is ever formed, which keeps the distance exact where there are fewer images than dimensions and both
covariances are singular.

The distance is biased upwards for few images, the more the fewer: compare values for equal numbers only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reid.common.errors import InputError

Features = NDArray[np.float32] | NDArray[np.float64]


def frechet_distance(first: Features, second: Features) -> float:
    """The squared distance d of features (N, D) and (M, D), computed in float64.

    Raises:
        InputError: dimensions differ, or a set has fewer than two images.
    """
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1] or min(len(first), len(second)) < 2:
        raise InputError(
            f"Frechet distance: expected features (N, D) and (M, D) of two images at least, "
            f"got {first.shape} and {second.shape}"
        )
    mean_1, mean_2 = (features.mean(0, dtype=np.float64) for features in (first, second))
    a, b = _spread(first, mean_1), _spread(second, mean_2)
    shared = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    distance = ((mean_1 - mean_2) ** 2).sum() + (a**2).sum() + (b**2).sum() - 2 * shared
    return max(float(distance), 0.0)  # rounding may take equal sets below zero


def _spread(features: Features, mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """A matrix A with at most D rows whose A'A is the covariance: the centred features, or the R of their QR."""
    centred = (features.astype(np.float64) - mean) / np.sqrt(len(features) - 1)
    return np.asarray(np.linalg.qr(centred, mode="r")) if len(centred) > centred.shape[1] else centred
