"""The scores of all rows, networks and seeds: read, averaged over seeds, compared with each other."""

from __future__ import annotations

import itertools
import statistics
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines import layout
from reid.common.checkpoints import load_json
from reid.common.errors import InputError
from reid.evaluation.significance import compare, resampled_means
from reid.files.samples import read_parquet

KEYS = ("rank1", "rank5", "rank10", "mAP", "mAP_step")
LEVEL = 0.05  # below which a p-value counts as significant

Metrics = dict[str, dict[str, dict[str, dict[str, float]]]]  # row -> network -> distance -> score


class Result(NamedTuple):
    """One network, trained with one seed."""

    file: dict[str, Any]  # content of its score file
    queries: pd.DataFrame  # what each query is worth, by each distance


Results = dict[str, dict[str, list[Result]]]  # row -> network -> one for each seed


def read_results(rows: list[str], networks: list[str], seeds: list[int]) -> Results:
    """Read the score files; raises FileNotFoundError naming one that is missing, InputError where they do not fit."""
    results = {
        row: {network: [_read(layout.score(row, network, seed)) for seed in seeds] for network in networks}
        for row in rows
    }
    for network in networks:
        first = results[rows[0]][network][0].queries[["query", "distance"]]
        for row in rows:
            for seed, result in zip(seeds, results[row][network], strict=True):
                if not result.queries[["query", "distance"]].equals(first):
                    raise InputError(
                        f"{layout.score(row, network, seed)} was measured on other queries, or with other distances, "
                        f"than {layout.score(rows[0], network, seeds[0])}; run `dvc repro`, or evaluate it again"
                    )
    return results


def metrics(results: Results) -> Metrics:
    """metrics.json: row -> network -> distance -> {rank1, rank5, rank10, mAP, mAP_step}, per cent.

    They are means over seeds; with several seeds each has its standard deviation beside it, rank1_std and so on.
    """
    return {
        row: {
            network: {name: _over_seeds([r.file["distances"][name] for r in found]) for name in distances(found)}
            for network, found in networks.items()
        }
        for row, networks in results.items()
    }


def distances(found: list[Result]) -> list[str]:
    """The distances that a network was measured with."""
    return list(found[0].file["distances"])


def significance(results: Results, rule: str) -> pd.DataFrame:
    """A paired bootstrap over queries between each two rows.

    A query's value is its mean over the seeds.

    Args:
        results: of `read_results`.
        rule: `trapezoid` or `step`: by which average precisions are compared.

    Returns:
        columns network, distance, score (Rank-1 or mAP), row, other, difference (of row to other), low, high (bounds of
        its 95 % interval), in per cent, and p.
    """
    lines = []
    rows = list(results)
    for network, found in results[rows[0]].items():
        for name in distances(found):
            for score in ("Rank-1", "mAP"):
                values = np.stack([_of_queries(results[row][network], name, score, rule) for row in rows], 1)
                means = resampled_means(values)
                for first, second in itertools.combinations(range(len(rows)), 2):
                    found_difference = compare(values[:, second], values[:, first], means[:, second], means[:, first])
                    difference, low, high, p = found_difference
                    lines.append(
                        (network, name, score, rows[second], rows[first], 100 * difference, 100 * low, 100 * high, p)
                    )
    columns = ["network", "distance", "score", "row", "other", "difference", "low", "high", "p"]
    return pd.DataFrame(lines, columns=columns)


def read_score(path: Path) -> dict[str, Any]:
    """A score file; raises FileNotFoundError or InputError naming it."""
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: params.yaml names this row; run `dvc repro`")
    return load_json(path, (), "run `dvc checkout -f`, or its stage again")


def _read(path: Path) -> Result:
    return Result(read_score(path), read_parquet(path.with_suffix(".parquet")))


def _over_seeds(scores: list[dict[str, Any]]) -> dict[str, float]:
    found = {key: round(statistics.fmean(score[key] for score in scores), 2) for key in KEYS}
    if len(scores) > 1:
        found |= {f"{key}_std": round(statistics.stdev(score[key] for score in scores), 2) for key in KEYS}
    return found


def _of_queries(found: list[Result], distance: str, score: str, rule: str) -> NDArray[np.float64]:
    """Mean over seeds of what each query is worth (Q,), in 0..1."""
    tables = [result.queries[result.queries["distance"] == distance] for result in found]
    values = [
        table["first_rank"].eq(1).to_numpy(np.float64) if score == "Rank-1" else table[f"ap_{rule}"].to_numpy()
        for table in tables
    ]
    return np.mean(values, axis=0)
