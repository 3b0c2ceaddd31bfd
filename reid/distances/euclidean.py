"""Euclidean distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reid.common import arrays


def euclidean(query: NDArray[np.float32], gallery: NDArray[np.float32]) -> NDArray[np.float32]:
    """Distances ||q - g||_2 (Q, G) of query features (Q, D) and gallery features (G, D).

    Example:
        >>> euclidean(np.float32([[0, 0], [3, 0]]), np.float32([[3, 4], [0, 0], [3, 0]])).tolist()
        [[5.0, 0.0, 3.0], [4.0, 3.0, 0.0]]
    """
    distances = query @ gallery.T  # in place from here on: at MSMT17's size one such matrix is 3.8 GB
    distances *= -2
    distances += (query**2).sum(1)[:, None]
    distances += (gallery**2).sum(1)
    return np.sqrt(np.maximum(distances, 0, out=distances), out=distances)


class Euclidean:
    """||q - g||_2; learns nothing."""

    learns = False  # whether `fit` uses the training features, which take time to extract
    whole = False  # whether `matrix` needs all queries and the whole gallery at once

    def fit(
        self, features: NDArray[np.float32], identities: NDArray[np.int64], cameras: NDArray[np.int64]
    ) -> Euclidean:
        """Return itself: there is nothing to learn from training features (N, D), identities (N,), cameras (N,)."""
        return self

    def matrix(self, query: NDArray[np.float32], gallery: NDArray[np.float32]) -> NDArray[np.float32]:
        """Distances (Q, G) between features (Q, D) and (G, D); raises InputError where these are no finite numbers."""
        return euclidean(*arrays.pair(query, gallery))
