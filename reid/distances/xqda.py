"""XQDA: cross-view quadratic discriminant analysis (Liao et al., CVPR 2015), as its authors released it.

The differences of features between two images of one person have the covariance S_I, those between images of two
people S_E. XQDA keeps the directions in which S_E is larger than S_I, and in this subspace takes the logarithm of the
likelihood ratio of the two Gaussians, up to constants, as the distance:

    d(q, g) = (q - g)' W (inv(W' S_I W) - inv(W' S_E W)) W' (q - g),

W being the left singular vectors of inv(S_I) S_E whose singular values exceed 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from reid.common import arrays
from reid.common.errors import InputError
from reid.common.parameters import Rate
from reid.distances.mahalanobis import Array, quadratic
from reid.files.samples import class_labels


class Views(NamedTuple):
    """Pairs of training images, as indices (P,) each: both show the same person, in different cameras."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]


class XQDA:
    """The metric of cross-view quadratic discriminant analysis.

    Args:
        regulariser: added to the diagonal of S_I; absolute, so it presumes features of length 1.
        seed: of the choice of pairs.

    Example:
        People differ along the first coordinate, images of one person along the second. The metric learns that a
        difference of 1 is large along the first and means nothing along the second.

        >>> features = np.float32([[0, 0], [0.1, 1], [1, 0], [1, 1], [2, 1], [2.1, 0]])
        >>> xqda = XQDA().fit(features, np.array([1, 1, 2, 2, 3, 3]), np.array([1, 2, 1, 2, 1, 2]))
        >>> first, second = xqda.matrix(np.float32([[0, 0]]), np.float32([[1, 0], [0, 1]]))[0]
        >>> round(first), abs(round(second))
        (130, 0)
    """

    learns = True
    whole = False

    def __init__(self, regulariser: Rate = 0.001, seed: int = 0):
        self.regulariser = regulariser
        self.seed = seed
        self.subspace: Array = np.zeros((0, 0))  # W (D, R), orthonormal
        self.metric: Array = np.zeros((0, 0))  # (R, R)

    def fit(self, features: NDArray[np.float32], identities: NDArray[np.int64], cameras: NDArray[np.int64]) -> XQDA:
        """Learn from features (N, D), identities (N,), cameras (N,); raises InputError for too few, or NaN."""
        features, identities, cameras = arrays.training(features, identities, cameras)
        views = pair_views(identities, cameras, self.seed)
        first, second = (features[indices].astype(np.float64) for indices in views)
        basis = None
        if len(first) + len(second) < features.shape[1]:  # the span of so few features holds all differences
            basis = linalg.qr(np.vstack([first, second]).T, mode="economic")[0]
            first, second = first @ basis, second @ basis
        intra, extra = covariances(first, second, class_labels(identities[views.first])[0])
        intra[np.diag_indices_from(intra)] += self.regulariser
        self.subspace = discriminative_subspace(intra, extra)
        within, between = (self.subspace.T @ covariance @ self.subspace for covariance in (intra, extra))
        values = linalg.eigvalsh(between)
        if values[0] <= len(values) * np.finfo(np.float64).eps * values[-1]:
            raise InputError("XQDA: the training features of different people do not differ: nothing can be learnt")
        self.metric = linalg.inv(within) - linalg.inv(between)
        if basis is not None:
            self.subspace = basis @ self.subspace
        return self

    def matrix(self, query: NDArray[np.float32], gallery: NDArray[np.float32]) -> Array:
        """Distances (Q, G) between features (Q, D) and (G, D); they may be negative. Raises InputError as `fit`."""
        query, gallery = arrays.pair(query, gallery, len(self.subspace))
        return quadratic(query @ self.subspace, gallery @ self.subspace, self.metric)


def pair_views(identities: NDArray[np.int64], cameras: NDArray[np.int64], seed: int) -> Views:
    """Pair each person's images: put in random order, the first half with the second; pairs in one camera are dropped.

    Raises:
        InputError: no pair is left.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(identities))
    order = order[np.argsort(identities[order], kind="stable")]
    halves = [np.array_split(own[: len(own) // 2 * 2], 2) for own in _by_identity(order, identities)]
    first, second = (np.concatenate([half[side] for half in halves]) for side in (0, 1))
    kept = cameras[first] != cameras[second]
    if not kept.any():
        raise InputError(
            f"XQDA learns from images of one person in two cameras; the {len(identities)} training images of "
            f"{len(np.unique(identities))} people in cameras {np.unique(cameras).tolist()} gave no such pair"
        )
    return Views(first[kept], second[kept])


def covariances(first: Array, second: Array, labels: NDArray[np.int64]) -> tuple[Array, Array]:
    """S_I and S_E (D, D): mean of (a - b)(a - b)' over a in `first`, b in `second`, of one person and of two people.

    The pairs (a, b) are not enumerated. Person k has n_k features a with the sum s_k, and n_k features b with the sum
    t_k; the sum over all pairs of one person is then

        sum_k n_k (sum a a' + sum b b') - s_k t_k' - t_k s_k'.

    The pairs of two people are all pairs, by the same formula for everybody as one person, less those of one person.

    Args:
        first: (P, D).
        second: (P, D), of the same people in the same order.
        labels: (P,) the person of each, 0..K-1.

    Raises:
        InputError: all are of one person.
    """
    counts = np.bincount(labels)
    sums = [np.zeros((len(counts), first.shape[1])) for _ in range(2)]
    for total, view in zip(sums, (first, second), strict=True):
        np.add.at(total, labels, view)
    features = np.vstack([first, second])
    weighted = features * np.sqrt(np.tile(counts[labels], 2))[:, None]
    crossed = sums[0].T @ sums[1]
    within = weighted.T @ weighted - crossed - crossed.T
    if len(counts) == 1:
        raise InputError("XQDA needs pairs of at least two people; all of them are of one")
    whole = np.outer(sums[0].sum(0), sums[1].sum(0))
    between = len(first) * (features.T @ features) - whole - whole.T - within
    pairs = int((counts**2).sum())
    return within / pairs, between / (len(first) ** 2 - pairs)


def discriminative_subspace(intra: Array, extra: Array) -> Array:
    """Left singular vectors (D, R) of inv(intra) extra with singular values above 1, largest first; at least one.

    They are the eigenvectors of A A', A = inv(intra) extra, and only those with eigenvalues above 1 are computed.
    """
    ratio = linalg.cho_solve(linalg.cho_factor(intra), extra)
    squared = ratio @ ratio.T
    vectors = linalg.eigh(squared, subset_by_value=(1.0, np.inf))[1]
    if vectors.shape[1] == 0:
        last = len(squared) - 1
        vectors = linalg.eigh(squared, subset_by_index=(last, last))[1]
    return vectors[:, ::-1]


def _by_identity(order: NDArray[np.int64], identities: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return np.split(order, np.flatnonzero(np.diff(identities[order])) + 1)
