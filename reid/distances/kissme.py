"""KISSME: "keep it simple and straightforward" metric learning (Koestinger et al., CVPR 2012), as released.

Differences between two images of one person, and between images of two, are taken for Gaussians with mean 0; the
logarithm of the ratio of their likelihoods is, but for constants, the distance

    d(q, g) = (q - g)' (inv(C_same) - inv(C_other)) (q - g),

after a projection to the first principal components.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from reid.common.errors import InputError
from reid.common.parameters import Positive
from reid.distances.mahalanobis import Array, quadratic

DRAWN = 150_000  # random pairs a round, from which those of two people in two cameras are kept
ROUNDS = 100  # after so many, the negatives found so far are used again
THINNING = 10  # of the pairs, every tenth is used


class KISSME:
    """The KISS metric.

    Where the data is small, what would make a covariance singular is avoided: all pairs are used instead of every tenth
    where a tenth would be fewer than two for each component, and the components are at most half as many as the pairs,
    and as the directions in which images of one person can differ.

    Args:
        dimensions: principal components kept, at most.
        seed: of the negative pairs.
    """

    learns = True
    whole = False

    def __init__(self, dimensions: Positive = 200, seed: int = 0):
        self.dimensions = dimensions
        self.seed = seed
        self.components: Array = np.zeros((0, 0))  # (D, R), orthonormal
        self.metric: Array = np.zeros((0, 0))  # (R, R), positive definite

    def fit(self, features: NDArray[np.float32], identities: NDArray[np.int64], cameras: NDArray[np.int64]) -> KISSME:
        """Learn from features (N, D), identities (N,) and cameras (N,); raises InputError where it cannot."""
        same = positive_pairs(identities, cameras)
        other = negative_pairs(identities, cameras, len(same), self.seed)
        distinct = len({feature.tobytes() for feature in features})
        differing = distinct - len(np.unique(identities))  # directions, at most, in which images of one person differ
        most = min(self.dimensions, len(same) // 2, differing // 2)
        if most < 1:
            raise InputError(
                f"KISSME has too little to learn from: {len(same)} pairs of images of one person in two cameras, and "
                f"{distinct} different features of {len(np.unique(identities))} people"
            )
        self.components = principal_components(features, most)
        if len(same) // THINNING >= 2 * self.components.shape[1]:
            same, other = same[::THINNING], other[::THINNING]
        projected = features @ self.components
        self.metric = positive(
            linalg.inv(_covariance(projected, same, "one person")) - linalg.inv(_covariance(projected, other, "two"))
        )
        return self

    def matrix(self, query: NDArray[np.float32], gallery: NDArray[np.float32]) -> Array:
        """Distances (Q, G) between features (Q, D) and (G, D)."""
        return quadratic(query @ self.components, gallery @ self.components, self.metric)


def positive_pairs(identities: NDArray[np.int64], cameras: NDArray[np.int64]) -> NDArray[np.int64]:
    """(P, 2) rows of all pairs of one person in two cameras, ordered; raises InputError where there is none."""
    order = np.argsort(identities, kind="stable")
    pairs = []
    for own in np.split(order, np.flatnonzero(np.diff(identities[order])) + 1):
        first, second = np.triu_indices(len(own), 1)
        different = cameras[own[first]] != cameras[own[second]]
        pairs.append(np.stack([own[first], own[second]], 1)[different])
    found = np.concatenate(pairs)
    if len(found) == 0:
        raise InputError(
            f"KISSME learns from images of one person in two cameras; among the {len(identities)} training images in "
            f"cameras {np.unique(cameras).tolist()} there is no such pair"
        )
    return found


def negative_pairs(
    identities: NDArray[np.int64], cameras: NDArray[np.int64], count: int, seed: int
) -> NDArray[np.int64]:
    """(count, 2) rows of random pairs of two people in two cameras; raises InputError where there can be none."""
    random = np.random.default_rng(seed)
    kept, found = list[NDArray[np.int64]](), 0
    for _ in range(ROUNDS):
        first, second = random.integers(len(identities), size=(2, DRAWN))
        wanted = (identities[first] != identities[second]) & (cameras[first] != cameras[second])
        kept.append(np.stack([first, second], 1)[wanted])
        found += len(kept[-1])
        if found >= count:
            break
    if found == 0:
        raise InputError(
            f"KISSME learns from pairs of two people in two cameras; among {ROUNDS * DRAWN:,} random pairs of the "
            f"{len(identities)} training images there was none"
        )
    return np.resize(np.concatenate(kept), (count, 2))


def principal_components(features: NDArray[np.float32], most: int) -> Array:
    """The directions (D, R) of the largest variance of features (N, D), R <= most; those without any are left out.

    Raises:
        InputError: all features are equal.
    """
    centred = features.astype(np.float64)
    centred -= centred.mean(0)
    size = centred.shape[1]
    most = min(most, size)
    values, vectors = linalg.eigh(centred.T @ centred, subset_by_index=(size - most, size - 1))
    varying = values > size * np.finfo(np.float64).eps * max(values[-1], 0)
    if not varying.any():
        raise InputError("KISSME: all training features are equal: nothing can be learnt")
    return vectors[:, varying][:, ::-1]


def positive(metric: Array) -> Array:
    """The metric where it is positive definite, else with eigenvalues up to 1e-10 replaced by 1e-6, as released."""
    try:
        linalg.cholesky(metric)
    except linalg.LinAlgError:
        values, vectors = linalg.eigh(metric)
        return (vectors * np.where(values <= 1e-10, 1e-6, values)) @ vectors.T
    return metric


def _covariance(projected: Array, pairs: NDArray[np.int64], of: str) -> Array:
    differences = projected[pairs[:, 0]] - projected[pairs[:, 1]]
    covariance = differences.T @ differences / len(pairs)
    values = linalg.eigvalsh(covariance)
    if values[0] <= len(values) * np.finfo(np.float64).eps * values[-1]:
        raise InputError(f"KISSME: images of {of} do not differ in some direction: too few, or equal, training images")
    return covariance
