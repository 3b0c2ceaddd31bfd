"""KISSME: "keep it simple and straightforward" metric learning (Koestinger et al., CVPR 2012), as released.

The differences of features between two images of one person, and between images of two people, are modelled as
Gaussians with mean 0. The logarithm of their likelihood ratio is, up to constants, the distance

    d(q, g) = (q - g)' (inv(C_same) - inv(C_other)) (q - g),

after a projection to the first principal components, each stretched by its singular value. The distance depends on that
stretching where the matrix has eigenvalues that are not positive, which are replaced by a constant.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from reid.common import arrays
from reid.common.errors import InputError
from reid.common.parameters import Positive
from reid.distances.mahalanobis import Array, quadratic

DRAWN = 150_000  # random pairs drawn in a round, of which those of two people in two cameras are kept
ROUNDS = 100  # at most; should they give too few negative pairs, these are repeated
THINNING = 10  # every tenth pair is used


class KISSME:
    """The KISS metric.

    On small training sets it differs from the release where a covariance would be singular: all pairs are used where
    every tenth would be fewer than two for each component, and there are at most half as many components as pairs, and
    as directions in which images of one person can differ.

    Args:
        dimensions: number of principal components kept, at most.
        seed: of the random negative pairs.

    Example:
        People differ along the first coordinate, images of one person along the second; the last two are the opposites
        of these, so that the mean of each image's features is 0. The metric learns that a difference of 1 is large
        along the first coordinate and means nothing along the second.

        >>> two = np.float32([[0, 0], [0.1, 1], [1, 0], [1, 1], [2, 1], [2.1, 0]])
        >>> kissme = KISSME().fit(np.hstack([two, -two]), np.array([1, 1, 2, 2, 3, 3]), np.array([1, 2, 1, 2, 1, 2]))
        >>> first, second = kissme.matrix(np.float32([[0, 0, 0, 0]]), np.float32([[1, 0, -1, 0], [0, 1, 0, -1]]))[0]
        >>> round(first), abs(round(second))
        (150, 0)
    """

    learns = True
    whole = False

    def __init__(self, dimensions: Positive = 200, seed: int = 0):
        self.dimensions = dimensions
        self.seed = seed
        self.components: Array = np.zeros((0, 0))  # (D, R), about as long as their singular values
        self.metric: Array = np.zeros((0, 0))  # (R, R), positive definite

    def fit(self, features: NDArray[np.float32], identities: NDArray[np.int64], cameras: NDArray[np.int64]) -> KISSME:
        """Learn from features (N, D), identities (N,), cameras (N,); raises InputError for too few, or NaN."""
        features, identities, cameras = arrays.training(features, identities, cameras)
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
            linalg.inv(_covariance(projected, same, "one person"))
            - linalg.inv(_covariance(projected, other, "two people"))
        )
        return self

    def matrix(self, query: NDArray[np.float32], gallery: NDArray[np.float32]) -> Array:
        """Distances (Q, G) between features (Q, D) and (G, D); raises InputError where these are no finite numbers."""
        query, gallery = arrays.pair(query, gallery, len(self.components))
        return quadratic(query @ self.components, gallery @ self.components, self.metric)


def positive_pairs(identities: NDArray[np.int64], cameras: NDArray[np.int64]) -> NDArray[np.int64]:
    """All pairs of images of one person in two cameras, as indices (P, 2), ordered by person.

    Raises:
        InputError: there is no such pair.

    Example:
        >>> positive_pairs(np.array([7, 7, 7, 8, 8]), np.array([1, 1, 2, 1, 2])).tolist()
        [[0, 2], [1, 2], [3, 4]]
    """
    order = np.argsort(identities, kind="stable")
    by_person = []
    for own in np.split(order, np.flatnonzero(np.diff(identities[order])) + 1):
        first, second = np.triu_indices(len(own), 1)
        different = cameras[own[first]] != cameras[own[second]]
        by_person.append(np.stack([own[first], own[second]], 1)[different])
    pairs = np.concatenate(by_person)
    if len(pairs) == 0:
        raise InputError(
            f"KISSME learns from images of one person in two cameras; among the {len(identities)} training images in "
            f"cameras {np.unique(cameras).tolist()} there is no such pair"
        )
    return pairs


def negative_pairs(
    identities: NDArray[np.int64], cameras: NDArray[np.int64], count: int, seed: int
) -> NDArray[np.int64]:
    """Random pairs of two people in two cameras, as indices (count, 2); raises InputError if there are none."""
    random = np.random.default_rng(seed)
    by_round, total = list[NDArray[np.int64]](), 0
    for _ in range(ROUNDS):
        first, second = random.integers(len(identities), size=(2, DRAWN))
        wanted = (identities[first] != identities[second]) & (cameras[first] != cameras[second])
        by_round.append(np.stack([first, second], 1)[wanted])
        total += len(by_round[-1])
        if total >= count:
            break
    if total == 0:
        raise InputError(
            f"KISSME learns from pairs of two people in two cameras; among {ROUNDS * DRAWN:,} random pairs of the "
            f"{len(identities)} training images there was none"
        )
    return np.resize(np.concatenate(by_round), (count, 2))


def principal_components(features: NDArray[np.float32], most: int) -> Array:
    """The first principal components (D, R) of features (N, D), R <= most, stretched as the released `applypca2` does.

    That takes the eigenvectors e (N,) of the covariance of the images, each with its own mean over the D dimensions
    removed, for coefficients: a component is X e, X (D, N) the features without the mean image. With C = X X' and H the
    removal of the mean over the dimensions, H X = U S E' gives X E = C U inv(S), for which D x D matrices suffice. Its
    columns are about U S: were H left out, exactly. Components without variance are left out.

    Raises:
        InputError: all features are equal.
    """
    centred = features.astype(np.float64)
    centred -= centred.mean(0)
    scatter = centred.T @ centred
    size = len(scatter)
    most = min(most, size)
    reduced = scatter - scatter.mean(0)
    reduced -= reduced.mean(1, keepdims=True)
    values, vectors = linalg.eigh(reduced, subset_by_index=(size - most, size - 1))
    varying = values > size * np.finfo(np.float64).eps * max(values[-1], 0)
    if not varying.any():
        raise InputError("KISSME: all training features are equal: nothing can be learnt")
    return (scatter @ vectors[:, varying] / np.sqrt(values[varying]))[:, ::-1]


def positive(metric: Array) -> Array:
    """The metric itself if it is positive definite, else with eigenvalues up to 1e-10 replaced by 1e-6, as released."""
    try:
        linalg.cholesky(metric)
    except linalg.LinAlgError:
        values, vectors = linalg.eigh(metric)
        return (vectors * np.where(values <= 1e-10, 1e-6, values)) @ vectors.T
    return metric


def _covariance(projected: Array, pairs: NDArray[np.int64], of: str) -> Array:
    differences = projected[pairs[:, 0]] - projected[pairs[:, 1]]
    covariance = differences.T @ differences / len(pairs)
    lengths = np.sqrt(np.diag(covariance))
    lengths[lengths == 0] = 1
    values = linalg.eigvalsh(covariance / np.outer(lengths, lengths))  # however the components are stretched
    if values[0] <= len(values) * np.finfo(np.float64).eps * values[-1]:
        raise InputError(
            f"KISSME: in some direction images of {of} do not differ at all, so their covariance has no inverse: too "
            "few training images, or equal ones"
        )
    return covariance
