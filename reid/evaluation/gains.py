"""How much a system gains over another, with an interval over training seeds and over the people who are searched for.

Each of S seeds trains both systems, which are measured on the same Q queries of P people. Seeds and people are taken
for random draws, crossed with each other: another seed would change the differences of all queries, other people those
of all seeds. The queries of one person are no independent draws. So the variance of the mean is that of the seeds'
means and that of the people's (clusters of queries, by linearisation of the ratio of sums), added up; what is left of
each single difference is counted in both, which makes the interval cautious where such noise is large. The degrees of
freedom are Satterthwaite's (1946). With two seeds the interval is too short; with three and more about right.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from reid.common.errors import InputError

LEVEL = 0.95
LEAST = 3  # seeds


class Gain(NamedTuple):
    """The mean difference of two systems, and the bounds of its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def certain(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


def gain(first: NDArray[np.float64], second: NDArray[np.float64], people: NDArray[np.int64]) -> Gain:
    """The gain of the first system over the second.

    Args:
        first: (S, Q) values of each query by the first system, e.g. average precisions, trained with each seed; S at
            least LEAST.
        second: (S, Q) by the second system, with the same seeds, on the same queries.
        people: (Q,) identity of each query, of at least two people.

    Raises:
        InputError: shapes differ, a value is not finite, or there are fewer seeds or people.

    Example:
        >>> first = np.array([[0.5, 0.7, 0.9], [0.6, 0.6, 0.9], [0.7, 0.6, 0.9]])
        >>> second = first - [[0.1, 0.1, 0.1], [0.2, 0.2, 0.2], [0.3, 0.3, 0.3]]
        >>> [round(value, 2) for value in gain(first, second, people=np.array([7, 7, 8]))]
        [0.2, -0.05, 0.45]
    """
    if first.ndim != 2 or first.shape != second.shape or first.shape[1] != len(people):
        raise InputError(
            f"gain: expected values (S, Q) of both systems and Q people, got {first.shape}, {second.shape} and "
            f"{len(people)}"
        )
    differences = first - second
    if not np.isfinite(differences).all():
        raise InputError("gain: expected finite values of all queries, some are NaN or infinite")
    seeds, count = len(differences), len(np.unique(people))
    if seeds < LEAST or count < 2:
        raise InputError(
            f"gain: expected at least {LEAST} seeds and queries of at least two people, got {seeds} and {count}"
        )
    mean = float(differences.mean())
    of_seeds, of_people = (float(part[0, 0]) for part in covariances(differences[None], people))
    variance = of_seeds + of_people
    if variance < 1e-30:
        return Gain(mean, mean, mean)
    half = quantile(of_seeds, of_people, seeds, count) * variance**0.5
    return Gain(mean, mean - half, mean + half)


def covariances(
    differences: NDArray[np.float64], people: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Covariances (K, K) of the means of K differences (K, S, Q), by the draw of seeds, and by that of people."""
    _, seeds, queries = differences.shape
    _, whose = np.unique(people, return_inverse=True)
    of_seeds = np.atleast_2d(np.cov(differences.mean(2))) / seeds
    means = differences.mean(1)
    sums = np.stack([np.bincount(whose, weights=own - own.mean()) for own in means])
    count = sums.shape[1]
    return of_seeds, sums @ sums.T / queries**2 * count / (count - 1)


def quantile(of_seeds: float, of_people: float, seeds: int, people: int) -> float:
    """The quantile of Student's t that bounds an interval, with Satterthwaite's degrees of freedom.

    Args:
        of_seeds: variance of the mean by the draw of the seeds; both variances may not be zero.
        of_people: by that of the people.
        seeds: how many there are.
        people: how many there are.
    """
    freedom = (of_seeds + of_people) ** 2 / (of_seeds**2 / (seeds - 1) + of_people**2 / (people - 1))
    return float(t.ppf((1 + LEVEL) / 2, freedom))
