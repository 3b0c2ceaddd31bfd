"""Is the difference between two systems more than the choice of queries explains? A paired bootstrap over queries.

Both systems are measured on the same queries. The queries are resampled with replacement many times; how much the
difference of the two means varies over the resamples says how far it can be trusted. This covers the choice of queries
alone, not the randomness of training: whether the difference would hold for other seeds, only trainings with other
seeds tell. (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13 and 16: percentile intervals.)

Resamples of few queries vary too little. So up to FEW queries p is that of the exact sign-flip test, which is never
below 2 / 2^Q, and the interval is Student's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from reid.common.errors import InputError

FEW = 12  # queries
DRAWS = 10_000
CHUNK = 500  # resamples that are held at a time


class Difference(NamedTuple):
    """The difference first - second of two systems' means over the queries, with its bootstrap confidence interval."""

    mean: float  # over the queries as they are
    low: float  # 2.5th percentile of the means over resampled queries; of few, Student's bound
    high: float  # 97.5th percentile; of few, Student's bound
    p: float  # two-sided: twice the share of resamples on the rarer side of zero, at most 1; of few, by flipping signs


def resampled_means(values: NDArray[np.float64], draws: int = DRAWS, seed: int = 0) -> NDArray[np.float64]:
    """Means (draws, S) of the values (Q, S) of S systems over resampled queries, the same queries for all systems.

    Example:
        The second system is 0.25 worse on each query, and so on each resample.

        >>> values = np.array([[0.75, 0.5], [1, 0.75], [0.5, 0.25], [0.25, 0]])
        >>> means = resampled_means(values, draws=3)
        >>> (means[:, 0] - means[:, 1]).tolist()
        [0.25, 0.25, 0.25]
    """
    random = np.random.default_rng(seed)
    queries = len(values)
    means = []
    for start in range(0, draws, CHUNK):
        count = min(CHUNK, draws - start)
        drawn = random.integers(queries, size=(count, queries)) + queries * np.arange(count)[:, None]
        times = np.bincount(drawn.ravel(), minlength=count * queries).reshape(count, queries)  # each query was drawn
        means.append(times @ values / queries)
    return np.concatenate(means)


def compare(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    first_means: NDArray[np.float64],
    second_means: NDArray[np.float64],
) -> Difference:
    """The difference between two systems.

    Args:
        first: (Q,) values of the queries by the first system, e.g. average precisions.
        second: (Q,) by the second, in the same order.
        first_means: (draws,) the first system's column of `resampled_means`.
        second_means: (draws,) the second system's, from the same call.

    Raises:
        InputError: there is no query, or a value is not a number.

    Example:
        The first system is better on each of four queries, as one of 16 choices of signs has it by chance, and another
        the other way round.

        >>> values = np.array([[0.75, 0.5], [1, 0.75], [0.5, 0.25], [0.25, 0]])
        >>> means = resampled_means(values, draws=999)
        >>> compare(values[:, 0], values[:, 1], means[:, 0], means[:, 1])
        Difference(mean=0.25, low=0.25, high=0.25, p=0.125)
    """
    single = first - second
    if not (len(single) and np.isfinite(first).all() and np.isfinite(second).all()):
        raise InputError(
            "significance: expected finite values of one query or more; there are none, or NaN, or infinite"
        )
    mean, queries = float(single.mean()), len(single)
    if queries <= FEW:
        half = float("inf")  # of a single query nothing follows
        if queries > 1:
            half = float(t.ppf(0.975, queries - 1)) * float(single.std(ddof=1)) / queries**0.5
        return Difference(mean, mean - half, mean + half, _by_signs(single))
    differences = first_means - second_means
    low, high = np.percentile(differences, (2.5, 97.5))
    rarer = min((differences <= 0).sum(), (differences >= 0).sum()) + 1  # so that p is never 0
    p = min(1.0, 2 * rarer / (len(differences) + 1))
    return Difference(mean, float(low), float(high), float(p))


def _by_signs(differences: NDArray[np.float64]) -> float:
    """The share of all choices of the signs of Q differences whose sum is as far from zero as theirs."""
    count = len(differences)
    signs = 1 - 2 * ((np.arange(2**count)[:, None] >> np.arange(count)) & 1)
    sums = np.abs(signs @ differences)
    return float((sums >= abs(differences.sum()) - 1e-12 * (1 + np.abs(differences).sum())).mean())
