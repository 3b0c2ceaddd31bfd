"""XQDA: cross-view quadratic discriminant analysis (Liao et al., CVPR 2015), as its authors released it.

Differences between two images of one person have the covariance S_I, those of two people S_E. XQDA keeps the directions
in which S_E is larger, and there compares the two Gaussians:

    d(q, g) = (q - g)' W (inv(W' S_I W) - inv(W' S_E W)) W' (q - g),

W being the left singular vectors of inv(S_I) S_E whose singular values exceed 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from reid.common.errors import InputError
from reid.common.parameters import Rate
from reid.distances.mahalanobis import Array, quadratic
from reid.files.samples import class_labels


class Views(NamedTuple):
    """Rows of the training features, paired: each of the second is the same person as that of the first."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]


class XQDA:
    """The metric of cross-view quadratic discriminant analysis.

    Args:
        regulariser: added to the diagonal of S_I; absolute, so it presumes features of length 1.
        seed: of the choice of pairs.
    """

    learns = True
    whole = False

    def __init__(self, regulariser: Rate = 0.001, seed: int = 0):
        self.regulariser = regulariser
        self.seed = seed
        self.subspace: Array = np.zeros((0, 0))  # W (D, R), orthonormal
        self.metric: Array = np.zeros((0, 0))  # (R, R)

    def fit(self, features: NDArray[np.float32], identities: NDArray[np.int64], cameras: NDArray[np.int64]) -> XQDA:
        """Learn from features (N, D), identities (N,) and cameras (N,); raises InputError where it cannot."""
        views = pair_views(identities, cameras, self.seed)
        first, second = (features[rows].astype(np.float64) for rows in views)
        basis = None
        if len(first) + len(second) < features.shape[1]:  # nothing differs outside the span of so few rows
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
        """Distances (Q, G) between features (Q, D) and (G, D); they may be negative."""
        return quadratic(query @ self.subspace, gallery @ self.subspace, self.metric)


def pair_views(identities: NDArray[np.int64], cameras: NDArray[np.int64], seed: int) -> Views:
    """Each person's images in random order, the first half against the second; pairs in one camera are dropped.

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
    """S_I and S_E (D, D): mean outer products of all differences first - second, within and between people.

    No pair is enumerated. With the sums s_k and t_k of person k's n_k rows in both views,

        sum over one person's pairs = n_k (sum a a' + sum b b') - s_k t_k' - t_k s_k',

    and the same over all rows, less those within, gives the pairs between people.

    Args:
        first: (P, D).
        second: (P, D), row by row the same people.
        labels: (P,) whom the rows show, 0..K-1.
    """
    counts = np.bincount(labels)
    sums = [np.zeros((len(counts), first.shape[1])) for _ in range(2)]
    for total, view in zip(sums, (first, second), strict=True):
        np.add.at(total, labels, view)
    rows = np.vstack([first, second])
    weighted = rows * np.sqrt(np.tile(counts[labels], 2))[:, None]
    crossed = sums[0].T @ sums[1]
    within = weighted.T @ weighted - crossed - crossed.T
    if len(counts) == 1:
        raise InputError("XQDA needs pairs of at least two people; all of them are of one")
    whole = np.outer(sums[0].sum(0), sums[1].sum(0))
    between = len(first) * (rows.T @ rows) - whole - whole.T - within
    pairs = int((counts**2).sum())
    return within / pairs, between / (len(first) ** 2 - pairs)


def discriminative_subspace(intra: Array, extra: Array) -> Array:
    """Left singular vectors (D, R) of inv(intra) extra with singular values above 1, largest first; at least one.

    They are the eigenvectors of (inv(intra) extra)(inv(intra) extra)', of which only those above 1 are computed.
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
