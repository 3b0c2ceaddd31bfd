"""Is the difference between two systems more than the choice of queries explains? A paired bootstrap over people.

Both systems are measured on the same queries. The people of the queries are resampled with replacement many times, each
with all of their queries, since the queries of one person are not independent; how much the difference of the two means
varies over the resamples says how far it can be trusted. This covers the choice of people alone, not the randomness of
training: whether the difference would hold for other seeds, only trainings with other seeds tell. (Efron and
Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13 and 16: percentile intervals; Davison and Hinkley, Bootstrap
Methods and Their Application, 1997, sec. 3.8: clusters.)

Resamples of few people vary too little. So up to FEW people p is that of the exact sign-flip test, which is never below
2 / 2^P, and the interval is Student's, of a ratio: the sum of the differences over the number of queries.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from reid.common.errors import InputError

FEW = 12  # people
DRAWS = 10_000
CHUNK = 500  # resamples that are held at a time


class Difference(NamedTuple):
    """The difference first - second of two systems' means over the queries, with its bootstrap confidence interval."""

    mean: float  # over the queries as they are
    low: float  # 2.5th percentile of the means over resampled people; of few, Student's bound
    high: float  # 97.5th percentile; of few, Student's bound
    p: float  # two-sided: twice the share of resamples on the rarer side of zero, at most 1; of few, by flipping signs


def resampled_means(
    values: NDArray[np.float64], people: NDArray[np.int64], draws: int = DRAWS, seed: int = 0
) -> NDArray[np.float64]:
    """Means (draws, S) of the values (Q, S) of S systems over the queries of resampled people, the same for all.

    Args:
        values: (Q, S), e.g. average precisions.
        people: (Q,) the identity of each query.
        draws: number of resamples.
        seed: of the resamples.

    Example:
        The second system is 0.25 worse on each query, and so on each resample.

        >>> values = np.array([[0.75, 0.5], [1, 0.75], [0.5, 0.25], [0.25, 0]])
        >>> means = resampled_means(values, np.array([1, 1, 2, 3]), draws=3)
        >>> (means[:, 0] - means[:, 1]).tolist()
        [0.25, 0.25, 0.25]
    """
    random = np.random.default_rng(seed)
    sums, queries = _by_person(values, people)
    persons = len(queries)
    means = []
    for start in range(0, draws, CHUNK):
        count = min(CHUNK, draws - start)
        drawn = random.integers(persons, size=(count, persons)) + persons * np.arange(count)[:, None]
        times = np.bincount(drawn.ravel(), minlength=count * persons).reshape(count, persons)  # each person was drawn
        means.append(times @ sums / (times @ queries)[:, None])
    return np.concatenate(means)


def compare(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    first_means: NDArray[np.float64],
    second_means: NDArray[np.float64],
    people: NDArray[np.int64],
) -> Difference:
    """The difference between two systems.

    Args:
        first: (Q,) values of the queries by the first system, e.g. average precisions.
        second: (Q,) by the second, in the same order.
        first_means: (draws,) the first system's column of `resampled_means`.
        second_means: (draws,) the second system's, from the same call.
        people: (Q,) the identity of each query, as in that call.

    Raises:
        InputError: there is no query, or a value is not a number.

    Example:
        The first system is better for each of four people, as one of 16 choices of signs has it by chance, and another
        the other way round.

        >>> values, people = np.array([[0.75, 0.5], [1, 0.75], [0.5, 0.25], [0.25, 0]]), np.array([1, 2, 3, 4])
        >>> means = resampled_means(values, people, draws=999)
        >>> compare(values[:, 0], values[:, 1], means[:, 0], means[:, 1], people)
        Difference(mean=0.25, low=0.25, high=0.25, p=0.125)
    """
    single = first - second
    if not (len(single) and np.isfinite(first).all() and np.isfinite(second).all()):
        raise InputError(
            "significance: expected finite values of one query or more; there are none, or NaN, or infinite"
        )
    mean = float(single.mean())
    sums, queries = _by_person(single[:, None], people)
    persons = len(queries)
    if persons <= FEW:
        half = float("inf")  # of a single person nothing follows
        if persons > 1:
            residuals = sums[:, 0] - mean * queries
            spread = (persons / (persons - 1) * float((residuals**2).sum())) ** 0.5 / len(single)
            half = float(t.ppf(0.975, persons - 1)) * spread
        return Difference(mean, mean - half, mean + half, _by_signs(sums[:, 0]))
    differences = first_means - second_means
    low, high = np.percentile(differences, (2.5, 97.5))
    rarer = min((differences <= 0).sum(), (differences >= 0).sum()) + 1  # so that p is never 0
    p = min(1.0, 2 * rarer / (len(differences) + 1))
    return Difference(mean, float(low), float(high), float(p))


def _by_person(values: NDArray[np.float64], people: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The sums (P, S) of the values (Q, S) of each person's queries, and the number (P,) of these."""
    _, whose, queries = np.unique(people, return_inverse=True, return_counts=True)
    sums = np.zeros((len(queries), values.shape[1]))
    np.add.at(sums, whose, values)
    return sums, queries


def _by_signs(differences: NDArray[np.float64]) -> float:
    """The share of all choices of the signs of P differences whose sum is as far from zero as theirs."""
    count = len(differences)
    signs = 1 - 2 * ((np.arange(2**count)[:, None] >> np.arange(count)) & 1)
    sums = np.abs(signs @ differences)
    return float((sums >= abs(differences.sum()) - 1e-12 * (1 + np.abs(differences).sum())).mean())
