"""Re-ranking by k-reciprocal encoding (Zhong et al., CVPR 2017), without holding the (N, N) distance matrix in memory.

Queries and gallery together are N images, d_ij^2 their squared Euclidean distances, and N(i, k) the k + 1 images
nearest to i, itself first.

    Eq. 3   R(i, k)  = {j in N(i, k): i in N(j, k)}, the k-reciprocal neighbours
    Eq. 4   R*(i)    = R(i, k1), united with each R(j, k1 / 2), j in R(i, k1), that is to more than 2/3 in R(i, k1)
    Eq. 7   V_ij     = exp(-D_ij) for j in R*(i), 0 elsewhere;  D_ij = d_ij^2 / max_m d_im^2
    Eq. 11  V_i      = mean of V_j over the k2 images nearest to i, itself among them (local query expansion)
    Eq. 10  J(q, g)  = 1 - sum_j min(V_qj, V_gj) / sum_j max(V_qj, V_gj)
    Eq. 12  distance = (1 - weight) J(q, g) + weight D_qg

Where the authors' published code differs from the text, this follows the code: distances are squared, and divided by
the largest one of image i; each row of V is scaled to the sum 1; and more than 2/3 of R(j, k1 / 2) must be in R(i, k1),
where the text asks for at least 2/3. k1 / 2 is rounded half to even, as in their Python version.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from reid.common import arrays
from reid.common.errors import InputError
from reid.common.parameters import Positive, Share
from reid.evaluation.search import smallest

Floats = NDArray[np.float32]
BLOCK_BYTES = 32 << 20  # of a temporary matrix


class KReciprocal:
    """Re-ranked Euclidean distance (`k_reciprocal`); learns nothing. The defaults are the paper's."""

    learns = False
    whole = True

    def __init__(self, k1: Positive = 20, k2: Positive = 6, weight: Share = 0.3):
        self.k1, self.k2, self.weight = k1, k2, weight

    def fit(
        self, features: NDArray[np.float32], identities: NDArray[np.int64], cameras: NDArray[np.int64]
    ) -> KReciprocal:
        """Return itself: there is nothing to learn from training features (N, D), identities (N,), cameras (N,)."""
        return self

    def matrix(self, query: NDArray[np.float32], gallery: NDArray[np.float32]) -> NDArray[np.float32]:
        """Distances (Q, G) between all queries' features (Q, D) and those of the whole gallery (G, D).

        They are in 0..1, but for rounding.

        The other queries are among the neighbours too, so that a query's distances depend on them.
        """
        query, gallery = arrays.pair(query, gallery)
        return k_reciprocal(query, gallery, self.k1, self.k2, self.weight)


def k_reciprocal(query: Floats, gallery: Floats, k1: int = 20, k2: int = 6, weight: float = 0.3) -> Floats:
    """Re-ranked distances (Q, G) of query features (Q, D) and gallery features (G, D); defaults are the paper's.

    The gallery is all of it, junk and distractors too, as in the published evaluation: neighbours are looked for among
    all images. Images at equal distance are neighbours in the order of queries, then gallery.

    Args:
        query: (Q, D); of length 1 in the paper.
        gallery: (G, D).
        k1: number of nearest neighbours, among which the reciprocal ones are encoded.
        k2: number of nearest images whose encodings are averaged, the image itself among them; 1 for no averaging.
        weight: of the original distance, in 0..1 (lambda in the paper).

    Raises:
        InputError: an argument is out of range.

    Example:
        The first gallery image is the nearest to the query, but has two images nearer to it than the query. The last
        one is a little farther away; it and the query are among each other's neighbours.

        >>> query, gallery = np.float32([[0]]), np.float32([[1], [1.1], [1.2], [-1.05]])
        >>> k_reciprocal(query, gallery, k1=2, k2=1).argsort().tolist()
        [[3, 0, 1, 2]]
    """
    if k1 < 1 or k2 < 1 or not 0 <= weight <= 1:
        raise InputError(f"k-reciprocal: expected k1 and k2 of at least 1, a weight in 0..1; got {k1}, {k2}, {weight}")
    if not len(query) or not len(gallery):
        return np.empty((len(query), len(gallery)), np.float32)
    features = np.concatenate([query, gallery])
    neighbours, largest, distances = _neighbours(features, len(query), max(k1 + 1, k2))
    encoding = _encode(features, largest, _expanded(neighbours, k1))
    if k2 > 1:
        nearest = _membership(neighbours[:, :k2])
        encoding = (nearest @ encoding / np.float32(min(k2, len(features)))).tocsr()
    return _blend(distances, encoding, weight)


def _neighbours(features: Floats, queries: int, count: int) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Each image's nearest images (N, count) and largest squared distance (N,); and D (Q, G) of queries and gallery."""
    total = len(features)
    squares = np.einsum("nd,nd->n", features, features)
    nearest, largest = np.empty((total, min(count, total)), np.int64), np.empty(total, np.float32)
    result = np.empty((queries, total - queries), np.float32)
    block = max(1, BLOCK_BYTES // (4 * total))
    for start in range(0, total, block):
        rows = slice(start, min(start + block, total))
        distances = features[rows] @ features.T
        distances *= -2
        distances += squares[rows, None]
        distances += squares
        np.maximum(distances, 0, out=distances)
        own = np.arange(rows.start, rows.stop)
        distances[own - start, own] = 0  # of an image to itself, where rounding may have left more
        nearest[rows] = smallest(distances, count)
        largest[rows] = np.maximum(distances.max(1), np.finfo(np.float32).tiny)
        queries_here = max(0, min(rows.stop, queries) - start)
        result[start : start + queries_here] = distances[:queries_here, queries:] / largest[rows][:queries_here, None]
    return nearest, largest, result


def _membership(neighbours: NDArray[np.int64]) -> sparse.csr_array:
    """(N, N) with 1 at the neighbours (N, k) of each image."""
    total, count = neighbours.shape
    ones = np.ones(total * count, np.float32)
    return sparse.csr_array((ones, neighbours.ravel(), np.arange(0, total * count + 1, count)), (total, total))


def _reciprocal(neighbours: NDArray[np.int64]) -> sparse.csr_array:
    """(N, N) with 1 where two images are among each other's neighbours (Eq. 3)."""
    forward = _membership(neighbours)
    return forward.multiply(forward.T).tocsr()


def _expanded(neighbours: NDArray[np.int64], k1: int) -> sparse.csr_array:
    """R* (Eq. 4) as a matrix (N, N): entry (i, j) is stored where j is in R*(i)."""
    full, half = _reciprocal(neighbours[:, : k1 + 1]), _reciprocal(neighbours[:, : round(k1 / 2) + 1])
    shared = (full @ half.T).multiply(full).tocoo()  # of R(i, k1) and R(j, k1 / 2), for each j in R(i, k1)
    rows, columns = shared.coords
    enough = 3 * shared.data > 2 * half.sum(1)[columns]
    accepted = sparse.csr_array((np.ones(enough.sum(), np.float32), (rows[enough], columns[enough])), full.shape)
    return (full + accepted @ half).tocsr()


def _encode(features: Floats, largest: Floats, sets: sparse.csr_array) -> sparse.csr_array:
    """V (N, N) before averaging (Eq. 7), each row scaled to the sum 1; `sets` is R* as `_expanded` gives it."""
    rows, columns = sets.tocoo().coords
    values = np.empty(len(rows), np.float32)
    block = max(1, BLOCK_BYTES // (4 * features.shape[1]))
    for start in range(0, len(rows), block):
        i, j = rows[start : start + block], columns[start : start + block]
        differences = features[i]
        differences -= features[j]
        values[start : start + block] = np.exp(-np.einsum("nd,nd->n", differences, differences) / largest[i])
    encoding = sparse.csr_array((values, (rows, columns)), sets.shape)
    sums = encoding.sum(1)
    encoding.data /= np.repeat(sums, np.diff(encoding.indptr))
    return encoding


def _blend(distances: Floats, encoding: sparse.csr_array, weight: float) -> Floats:
    """The final distance (Eq. 12); it overwrites D (Q, G).

    The rows of V sum to 1 and max(a, b) = a + b - min(a, b), so the maxima of two rows sum to 2 minus the sum of their
    minima, and only the latter is computed.
    """
    queries, gallery = distances.shape
    by_column = encoding[queries:].tocsc()
    for query in range(queries):
        own = slice(encoding.indptr[query], encoding.indptr[query + 1])
        starts, ends = by_column.indptr[encoding.indices[own]], by_column.indptr[encoding.indices[own] + 1]
        lengths = ends - starts
        entries = np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
        minima = np.minimum(by_column.data[entries], np.repeat(encoding.data[own], lengths))
        minima_sum = np.bincount(by_column.indices[entries], minima, gallery)
        distances[query] = (1 - weight) * (1 - minima_sum / (2 - minima_sum)) + weight * distances[query]
    return distances
