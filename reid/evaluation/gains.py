"""How much a system gains over another, with an interval over training seeds and over queries together.

Each of S seeds trains both systems, which are measured on the same Q queries. Seeds and queries are taken for random
draws, crossed with each other: another seed would change the differences of all queries, other queries those of all
seeds. The variance of the mean is the sum of both parts' (a cautious one: what is left of each single difference is
counted in both), and its degrees of freedom are Satterthwaite's (1946).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

LEVEL = 0.95


class Gain(NamedTuple):
    """The mean difference of two systems, and the bounds of its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def certain(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


def gain(first: NDArray[np.float64], second: NDArray[np.float64]) -> Gain:
    """The gain of the first system over the second.

    Args:
        first: (S, Q) values of each query by the first system, e.g. average precisions, trained with each seed; S and Q
            at least 2.
        second: (S, Q) by the second system, with the same seeds, on the same queries.

    Example:
        >>> first = np.array([[0.5, 0.7, 0.9], [0.6, 0.6, 0.9]])
        >>> [round(value, 2) for value in gain(first, first - [[0.1, 0.1, 0.1], [0.2, 0.2, 0.2]])]
        [0.15, -0.49, 0.79]
    """
    differences = first - second
    seeds, queries = differences.shape
    of_seeds = differences.mean(1).var(ddof=1) / seeds
    of_queries = differences.mean(0).var(ddof=1) / queries
    mean, variance = float(differences.mean()), float(of_seeds + of_queries)
    if variance == 0:
        return Gain(mean, mean, mean)
    freedom = variance**2 / (of_seeds**2 / (seeds - 1) + of_queries**2 / (queries - 1))
    half = float(t.ppf((1 + LEVEL) / 2, freedom)) * variance**0.5
    return Gain(mean, mean - half, mean + half)
