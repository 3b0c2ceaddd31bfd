"""Query expansion: a query becomes the sum of itself and of its nearest images, weighted by similarity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reid.common import arrays
from reid.common.parameters import NotNegative, Positive
from reid.distances.euclidean import euclidean
from reid.evaluation.features import normalise
from reid.evaluation.search import nearest

Floats = NDArray[np.float32]
BLOCK_BYTES = 64 << 20  # of neighbours' features held at a time


class QueryExpansion:
    """Euclidean distance from expanded queries (alphaQE, Radenovic et al., TPAMI 2018); learns nothing.

    With q and g of length 1, q becomes q + sum_i (q . g_i)^alpha g_i over the k gallery images nearest to it, scaled to
    length 1. Features of other lengths are scaled first; a similarity below 0 counts as 0.

    Example:
        The second and third gallery image are equally far from the query; the second is close to the query's nearest
        neighbour, the first, and so comes nearer.

        >>> query, gallery = np.float32([[1, 0]]), np.float32([[0.8, 0.6], [0.28, 0.96], [0.28, -0.96]])
        >>> [round(float(distance), 2) for distance in euclidean(query, gallery)[0]]
        [0.63, 1.2, 1.2]
        >>> [round(float(distance), 2) for distance in QueryExpansion(count=1).matrix(query, gallery)[0]]
        [0.43, 1.02, 1.36]
    """

    learns = False
    whole = True

    def __init__(
        self,
        count: Positive = 5,  # k, of gallery images
        alpha: NotNegative = 3.0,  # the paper's; 0 is the average of Chum et al., ICCV 2007, where each counts as 1
    ):
        self.count, self.alpha = count, alpha

    def fit(self, features: Floats, identities: NDArray[np.int64], cameras: NDArray[np.int64]) -> QueryExpansion:
        """Return itself: there is nothing to learn from training features (N, D), identities (N,), cameras (N,)."""
        return self

    def matrix(self, query: Floats, gallery: Floats) -> Floats:
        """Distances (Q, G), in 0..2, between features (Q, D) and those of the whole gallery (G, D)."""
        query, gallery = map(normalise, arrays.pair(query, gallery))
        return euclidean(expand(query, gallery, self.count, self.alpha), gallery)


def expand(query: Floats, gallery: Floats, count: int, alpha: float) -> Floats:
    """Expand queries (Q, D) by their `count` nearest of the gallery (G, D); all of length 1, the result (Q, D) too."""
    indices = nearest(query, gallery, count)
    expanded = np.empty_like(query)
    block = max(1, BLOCK_BYTES // (4 * max(indices.shape[1], 1) * gallery.shape[1]))
    for start in range(0, len(query), block):
        part = slice(start, start + block)
        neighbours = gallery[indices[part]]
        similarity = np.einsum("qd,qkd->qk", query[part], neighbours)
        expanded[part] = query[part] + np.einsum("qk,qkd->qd", np.maximum(similarity, 0) ** alpha, neighbours)
    return normalise(expanded)
