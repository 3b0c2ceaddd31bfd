"""What each augmentation adds to the real training set: intervals over seeds and people, and shares of the oracle."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines import layout
from pipelines.report.results import Result, Results, distances
from reid.evaluation.gains import Gain, gain

SCORES = ("Rank-1", "mAP")
ORACLE = "views"  # the renderer's own images of the same people in other moments


class RowGain(NamedTuple):
    """The gain of a row over `real`, all numbers as shares of 1."""

    row: str
    network: str
    distance: str
    score: str  # Rank-1 or mAP
    gain: Gain
    share: float  # of the oracle's gain at the same alpha; NaN where that is not certainly above zero


def gains(
    results: Results, augmentations: list[str], alphas: list[int], rule: str, people: Mapping[str, int]
) -> list[RowGain]:
    """Gains of each row over `real`, for several seeds.

    Args:
        results: of `pipelines.report.results.read_results`, of at least `reid.evaluation.gains.LEAST` seeds.
        augmentations: names of generators, renderings and selections.
        alphas: sizes of the training sets, as multiples of the real one.
        rule: `trapezoid` or `step`: the rule of the average precisions.
        people: name of a query image -> identity.
    """
    lines = []
    for network, seeds in results[layout.REAL].items():
        of_first = seeds[0].queries
        for distance, score in itertools.product(distances(seeds), SCORES):
            values = {row: query_values(results[row][network], distance, score, rule) for row in results}
            queries = of_first.loc[of_first["distance"] == distance, "query"]
            whose = np.array([people[query] for query in queries])
            for alpha in alphas:
                rows = {name: layout.row_name(name, alpha) for name in augmentations}
                found = {name: gain(values[row], values[layout.REAL], whose) for name, row in rows.items()}
                lines += [
                    RowGain(rows[name], network, distance, score, own, _share(own, found.get(ORACLE)))
                    for name, own in found.items()
                ]
    return lines


def as_numbers(lines: Iterable[RowGain]) -> pd.DataFrame:
    """Columns row, network, distance, score, gain, low, high (in per cent), share."""
    flat = [(*line[:4], *(100 * value for value in line.gain), line.share) for line in lines]
    return pd.DataFrame(flat, columns=["row", "network", "distance", "score", "gain", "low", "high", "share"])


def as_text(lines: Iterable[RowGain]) -> pd.DataFrame:
    """One line a row of the Re-ID table, in per cent; an asterisk where the interval excludes zero."""
    of_rows: dict[str, dict[str, str]] = {}
    for line in lines:
        mean, low, high = (100 * value for value in line.gain)
        text = f"{mean:+.1f} [{low:.1f}, {high:.1f}]" + "*" * line.gain.certain
        text += "" if np.isnan(line.share) else f", {100 * line.share:.0f} %"
        cells = of_rows.setdefault(line.row, {"training set": line.row})
        cells[f"{line.network} + {line.distance}: {line.score}"] = text
    return pd.DataFrame(list(of_rows.values()))


def query_values(seeds: list[Result], distance: str, score: str, rule: str) -> NDArray[np.float64]:
    """Values (S, Q) in 0..1 of the queries by each seed: found at rank 1, or the average precision."""
    tables = [result.queries[result.queries["distance"] == distance] for result in seeds]
    return np.stack(
        [
            table["first_rank"].eq(1).to_numpy(np.float64) if score == "Rank-1" else table[f"ap_{rule}"].to_numpy()
            for table in tables
        ]
    )


def _share(own: Gain, oracle: Gain | None) -> float:
    return own.mean / oracle.mean if oracle is not None and oracle.low > 0 else float("nan")
