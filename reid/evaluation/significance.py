"""Is one system better than another, or are these just the queries that it happens to find? A paired bootstrap.

Both systems are measured on the same queries. The queries are drawn anew, with replacement, many times; how much the
difference of the two means varies says how far it can be trusted. That covers the choice of queries alone: whether
another training, with another seed, would come out alike, only other seeds tell. (Efron and Tibshirani, An Introduction
to the Bootstrap, 1993, ch. 13 and 16: percentile intervals.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DRAWS = 10_000
CHUNK = 500  # draws whose counts are held at a time


class Difference(NamedTuple):
    """How much the first of two systems is ahead."""

    mean: float  # of first - second over the queries
    low: float  # 2.5th percentile of the mean over drawn queries
    high: float  # 97.5th percentile
    p: float  # two-sided: twice the share of draws on the smaller side of zero, at most 1


def resampled_means(values: NDArray[np.float64], draws: int = DRAWS, seed: int = 0) -> NDArray[np.float64]:
    """Means (draws, S) of S systems' values (Q, S) over queries drawn with replacement, the same for all systems."""
    random = np.random.default_rng(seed)
    queries = len(values)
    means = []
    for start in range(0, draws, CHUNK):
        count = min(CHUNK, draws - start)
        drawn = random.integers(queries, size=(count, queries)) + queries * np.arange(count)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=count * queries).reshape(count, queries)
        means.append(counts @ values / queries)
    return np.concatenate(means)


def compare(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    first_means: NDArray[np.float64],
    second_means: NDArray[np.float64],
) -> Difference:
    """The difference between two systems.

    Args:
        first: (Q,) values of the queries by the first system, average precisions say.
        second: (Q,) by the second, in the same order.
        first_means: (draws,) a column of `resampled_means`.
        second_means: (draws,) another of the same call.
    """
    differences = first_means - second_means
    low, high = np.percentile(differences, (2.5, 97.5))
    smaller = min((differences <= 0).sum(), (differences >= 0).sum()) + 1  # p is never 0
    p = min(1.0, 2 * smaller / (len(differences) + 1))
    return Difference(float(first.mean() - second.mean()), float(low), float(high), float(p))
