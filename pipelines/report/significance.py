"""Which differences between rows of the Re-ID table are significant: a paired bootstrap over people."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.report.gains import SCORES, asked_of, query_values
from pipelines.report.results import Results, distances
from reid.evaluation.significance import compare, resampled_means

COLUMNS = ["network", "distance", "score", "row", "other", "difference", "low", "high", "p"]


def significance(results: Results, rule: str, people: Mapping[str, int], seed: int) -> pd.DataFrame:
    """Compare each two rows, by each network, distance and score, on the same queries.

    A query's value, the mean of which is Rank-1 or mAP, is its own mean over the seeds.

    Args:
        results: of `pipelines.report.results.read_results`.
        rule: `trapezoid` or `step`: the rule of the average precisions that are compared.
        people: name of a query image -> identity.
        seed: of the resampled people.

    Returns:
        columns network, distance, score (Rank-1 or mAP), row, other, difference (row minus other), low, high (bounds of
        the difference's 95 % interval), all three in per cent, and p.
    """
    lines = []
    rows = list(results)
    for network, seeds in results[rows[0]].items():
        for distance, score in itertools.product(distances(seeds), SCORES):
            values = np.stack([query_values(results[row][network], distance, score, rule).mean(0) for row in rows], 1)
            whose = asked_of(seeds, distance, people)
            lines += [(network, distance, score, *line) for line in _compare_all(rows, values, whose, seed)]
    return pd.DataFrame(lines, columns=COLUMNS)


def _compare_all(
    rows: list[str], values: NDArray[np.float64], people: NDArray[np.int64], seed: int
) -> list[tuple[str, str, float, float, float, float]]:
    """(row, other, difference, low, high, p) of each two of S rows, given values (Q, S) of the same queries."""
    means = resampled_means(values, people, seed=seed)
    lines = []
    for other, row in itertools.combinations(range(len(rows)), 2):
        difference, low, high, p = compare(values[:, row], values[:, other], means[:, row], means[:, other], people)
        lines.append((rows[row], rows[other], 100 * difference, 100 * low, 100 * high, p))
    return lines
