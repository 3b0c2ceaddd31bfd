"""Euclidean distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reid.euclidean import euclidean


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
        """Distances (Q, G) between features (Q, D) and (G, D)."""
        return euclidean(query, gallery)
