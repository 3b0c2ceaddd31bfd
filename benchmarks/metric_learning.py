"""XQDA and KISSME at Market-1501's size, against the released arithmetic carried over as it stands.

python -m benchmarks.metric_learning
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from benchmarks.compare import command, compare
from reid.distances import KISSME, XQDA
from reid.distances.xqda import covariances, discriminative_subspace, pair_views
from reid.evaluation.features import normalise

Array = NDArray[np.float64]


def features(
    images: int, dimensions: int, people: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Unit vectors that cluster by person in 64 of their directions, non-negative as pooled features are."""
    random = np.random.default_rng(0)
    identities, cameras = np.sort(random.integers(0, people, images)), random.integers(1, 7, images)
    who = random.standard_normal((people, 64))[identities] + 0.8 * random.standard_normal((images, 64))
    found = who @ random.standard_normal((64, dimensions)) + 3 * random.standard_normal((images, dimensions))
    return normalise(np.maximum(found, 0).astype(np.float32)), identities, cameras


def direct_subspace(intra: Array, extra: Array) -> Array:
    """As released: a singular value decomposition of the whole matrix."""
    left, singular, _ = linalg.svd(linalg.solve(intra, extra))
    return left[:, : max(1, int((singular > 1).sum()))]


def main(images: int = 12_936, dimensions: int = 2_048, people: int = 751, rounds: int = 3) -> None:
    found, identities, cameras = features(images, dimensions, people)
    views = pair_views(identities, cameras, 0)
    first, second = (found[rows].astype(np.float64) for rows in views)
    labels = np.unique(identities[views.first], return_inverse=True)[1]
    intra, extra = covariances(first, second, labels)
    intra[np.diag_indices(dimensions)] += 0.001
    compare("subspace", lambda: discriminative_subspace(intra, extra), lambda: direct_subspace(intra, extra), rounds)
    compare(
        "XQDA, KISSME: all of fit",
        lambda: XQDA().fit(found, identities, cameras),
        lambda: KISSME().fit(found, identities, cameras),
        rounds,
    )


if __name__ == "__main__":
    command(main)()
