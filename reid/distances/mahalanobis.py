"""Mahalanobis distances (q - g)' M (q - g), whose matrix M XQDA and KISSME learn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def quadratic(query: Array, gallery: Array, metric: Array) -> Array:
    """(q - g)' M (q - g) for each pair, (Q, G); negative where M is not positive semidefinite.

    Args:
        query: (Q, D).
        gallery: (G, D).
        metric: M (D, D), symmetric.

    Example:
        >>> quadratic(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 2.0]]), np.diag([1.0, 3.0])).tolist()
        [[1.0, 12.0]]
    """
    moved = query @ metric
    distances = moved @ gallery.T
    distances *= -2
    distances += (moved * query).sum(1)[:, None]
    distances += ((gallery @ metric) * gallery).sum(1)
    return distances
