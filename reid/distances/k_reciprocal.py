"""k-reciprocal re-ranking as a distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reid.reranking import k_reciprocal


class KReciprocal:
    """Re-ranked Euclidean distance (`reid.reranking`); learns nothing. The defaults are the paper's."""

    learns = False
    whole = True

    def __init__(self, k1: int = 20, k2: int = 6, weight: float = 0.3):
        self.k1, self.k2, self.weight = k1, k2, weight

    def fit(
        self, features: NDArray[np.float32], identities: NDArray[np.int64], cameras: NDArray[np.int64]
    ) -> KReciprocal:
        """Return itself: there is nothing to learn from training features (N, D), identities (N,), cameras (N,)."""
        return self

    def matrix(self, query: NDArray[np.float32], gallery: NDArray[np.float32]) -> NDArray[np.float32]:
        """Distances (Q, G), in 0..1, between all queries' features (Q, D) and those of the whole gallery (G, D).

        The other queries are among the neighbours too, so that a query's distances depend on them.
        """
        return k_reciprocal(query, gallery, self.k1, self.k2, self.weight)
