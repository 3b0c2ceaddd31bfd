"""What training sets and networks add to each other: intervals over seeds and people, and shares of the oracle."""

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
from reid.evaluation.shares import Share, share

SCORES = ("Rank-1", "mAP")
ORACLE = "views"  # the renderer's own images of the same people in other moments


class Compared(NamedTuple):
    """The gain of a network trained on a row's images over another network, or over the same one and another row."""

    row: str
    network: str
    over_row: str
    over_network: str
    distance: str
    score: str  # Rank-1 or mAP
    gain: Gain  # as shares of 1
    share: Share | None  # of the oracle's gain; only over `real`, where that is certain, and of no certain loss


def compare_rows(results: Results, rule: str, people: Mapping[str, int]) -> list[Compared]:
    """Gains of each row over each row that is named before it, by each network that has both.

    Args:
        results: of `pipelines.report.results.read_results`, of at least `reid.evaluation.gains.LEAST` seeds.
        rule: `trapezoid` or `step`: the rule of the average precisions.
        people: name of a query image -> identity.
    """
    lines = []
    for network in dict.fromkeys(name for networks in results.values() for name in networks):
        rows = [row for row in results if network in results[row]]
        seeds = results[rows[0]][network]
        for distance, score in itertools.product(distances(seeds), SCORES):
            values = {row: query_values(results[row][network], distance, score, rule) for row in rows}
            whose = asked_of(seeds, distance, people)
            found = {
                (row, over): gain(values[row], values[over], whose) for over, row in itertools.combinations(rows, 2)
            }
            for (row, over), own in found.items():
                of_oracle = None
                if over == layout.REAL and _oracle(row) in values and row != _oracle(row) and own.high >= 0:
                    of_oracle = share(values[row], values[_oracle(row)], values[over], whose)
                lines.append(Compared(row, network, over, network, distance, score, own, of_oracle))
    return lines


def compare_networks(results: Results, rule: str, people: Mapping[str, int]) -> list[Compared]:
    """Gains of each network over each one that is named before it, by each row, with the distances that both have.

    Args:
        results: of `pipelines.report.results.read_results`, of at least `reid.evaluation.gains.LEAST` seeds.
        rule: `trapezoid` or `step`: the rule of the average precisions.
        people: name of a query image -> identity.
    """
    lines = []
    for row, networks in results.items():
        for (base, its), (network, seeds) in itertools.combinations(networks.items(), 2):
            both = [name for name in distances(seeds) if name in distances(its)]
            for distance, score in itertools.product(both, SCORES):
                first, second = (query_values(result, distance, score, rule) for result in (seeds, its))
                own = gain(first, second, asked_of(seeds, distance, people))
                lines.append(Compared(row, network, row, base, distance, score, own, None))
    return lines


def as_numbers(lines: Iterable[Compared]) -> pd.DataFrame:
    """Columns row, network, over_row, over_network, distance, score, gain, low, high, share, share_low, share_high.

    Gains and their bounds are in per cent; shares and theirs are not, and NaN where there is none.
    """
    none = (float("nan"),) * 3
    flat = [(*line[:6], *(100 * value for value in line.gain), *(line.share or none)) for line in lines]
    names = ["gain", "low", "high", "share", "share_low", "share_high"]
    return pd.DataFrame(flat, columns=[*Compared._fields[:6], *names])


def networks_as_text(lines: Iterable[Compared]) -> pd.DataFrame:
    """Gains of networks over each row's first one, in per cent; an asterisk where the interval excludes zero."""
    rows: dict[str, dict[str, str]] = {}
    first: dict[str, str] = {}  # network of each row
    for line in lines:
        if line.over_network != first.setdefault(line.row, line.over_network):
            continue
        cells = rows.setdefault(line.network, {"network": line.network})
        cells[f"{line.row}, {line.distance}: {line.score}"] = in_text(line)
    return pd.DataFrame(list(rows.values())).fillna("")


def in_text(compared: Compared) -> str:
    """A gain in per cent, and the share of the oracle's, with intervals; an asterisk where the gain's excludes zero."""
    mean, low, high = (100 * value for value in compared.gain)
    text = f"{mean:+.1f} [{low:.1f}, {high:.1f}]" + "*" * compared.gain.certain
    if compared.share is None:
        return text
    mean, low, high = (100 * value for value in compared.share)
    return f"{text}, {mean:.0f} % [{low:.0f}, {high:.0f}]"


def query_values(seeds: list[Result], distance: str, score: str, rule: str) -> NDArray[np.float64]:
    """Values (S, Q) in 0..1 of the queries by each seed: found at rank 1, or the average precision."""
    tables = [result.queries[result.queries["distance"] == distance] for result in seeds]
    return np.stack(
        [
            (table["first_rank"].eq(1) if score == "Rank-1" else table[f"ap_{rule}"]).to_numpy(np.float64)
            for table in tables
        ]
    )


def _oracle(row: str) -> str:
    """The oracle's row of the same alpha."""
    return f"{ORACLE}-{row.rpartition('-')[2]}"


def asked_of(seeds: list[Result], distance: str, people: Mapping[str, int]) -> NDArray[np.int64]:
    """The identities (Q,) of the queries."""
    table = seeds[0].queries
    return np.array([people[query] for query in table.loc[table["distance"] == distance, "query"]])
