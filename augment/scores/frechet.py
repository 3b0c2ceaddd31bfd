"""Frechet distance between two sets of features, each modelled as a normal distribution: FID (Heusel et al. 2017).

With means m and covariances C of the two sets,

    d = ||m_1 - m_2||^2 + tr C_1 + tr C_2 - 2 tr (C_1 C_2)^(1/2).

Let A (N x D) and B (M x D) be the centred features, divided by sqrt(N - 1) and sqrt(M - 1), so that C_1 = A'A and
C_2 = B'B. The non-zero eigenvalues of C_1 C_2 are those of (AB')(AB')', so the last trace is the sum of the singular
values of AB'. No covariance and no matrix square root is computed: this stays exact where there are fewer images than
dimensions and the covariances are singular.

The distance is biased upwards, the more the fewer images there are: only compare values for equal numbers of images.
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

    Example:
        >>> import numpy as np
        >>> from augment.scores.frechet import frechet_distance
        >>> features = np.array([[0.0, 0], [2, 0], [0, 2], [2, 2]])
        >>> round(frechet_distance(features, features + 3), 3)  # equal covariances, means 3 apart in both dimensions
        18.0
    """
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1] or min(len(first), len(second)) < 2:
        raise InputError(
            f"Frechet distance: expected features (N, D) and (M, D) of at least two images each, got {first.shape} and "
            f"{second.shape}"
        )
    mean_1, mean_2 = (features.mean(0, dtype=np.float64) for features in (first, second))
    a, b = _covariance_root(first, mean_1), _covariance_root(second, mean_2)
    shared = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    distance = ((mean_1 - mean_2) ** 2).sum() + (a**2).sum() + (b**2).sum() - 2 * shared
    return max(float(distance), 0.0)  # for equal sets rounding may give a little less


def _covariance_root(features: Features, mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """A matrix A for which A'A is the covariance: the centred features, or R of their QR decomposition if smaller."""
    centred = (features.astype(np.float64) - mean) / np.sqrt(len(features) - 1)
    return np.asarray(np.linalg.qr(centred, mode="r")) if len(centred) > centred.shape[1] else centred
