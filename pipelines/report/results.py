"""The score files of all training sets, networks and seeds: read, checked, averaged over seeds."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from pipelines import layout
from pipelines.params import Params
from reid.common.errors import InputError
from reid.common.saved import load_json
from reid.files.samples import REMEDY, read_parquet
from reid.files.tables import separated

KEYS = ("rank1", "rank5", "rank10", "mAP", "mAP_step")


class Result(NamedTuple):
    """The scores of one network, trained on one training set with one seed."""

    file: dict[str, Any]  # content of its score file
    queries: pd.DataFrame  # first rank and average precisions of each query, by each distance


Results = dict[str, dict[str, list[Result]]]  # row -> network -> one result a seed
Metrics = dict[str, dict[str, dict[str, dict[str, float]]]]  # row -> network -> distance -> metric, per cent


def read_results(rows: list[str], networks: list[str], seeds: list[int]) -> Results:
    """Read the score files of each row (training set), network and seed.

    Raises:
        FileNotFoundError: a file is missing; the message names it.
        InputError: a network was measured on other queries, or with other distances, for one row than for another.
    """
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


def read_score(path: Path, keys: tuple[str, ...] = ()) -> dict[str, Any]:
    """Read a score file, of a Re-ID network or of generated images.

    Args:
        path: of the JSON file.
        keys: that it has to have.

    Raises:
        FileNotFoundError: it does not exist.
        InputError: it is damaged.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist, and the tables need its scores: run `dvc repro`")
    return load_json(path, keys, REMEDY)


def read_table(path: Path) -> pd.DataFrame:
    """Read a table of scores (TSV); raises FileNotFoundError where it does not exist."""
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist, and the tables need its scores: run `dvc repro`")
    return separated(path.read_bytes(), str(path), REMEDY, "\t")


def check_settings(results: Results, params: Params) -> None:
    """Raise InputError where scores were measured with other settings than those of params.yaml."""
    evaluation = params.evaluation
    for row, networks in results.items():
        for network, seeds in networks.items():
            wanted = {
                "distances": params.reid[network].distances,
                "queries": evaluation.queries,
                "metric_train": evaluation.metric_train,
            }
            for result in seeds:
                # Where nothing was learnt, or there are no real images to learn from, the setting does not matter.
                about = result.file["trained_on"]
                free = result.file["learnt_from"] is None or about["generated"] == about["images"]
                measured = {
                    "distances": list(result.file["distances"]),
                    "queries": result.file["pooling"],
                    "metric_train": evaluation.metric_train if free else result.file["learnt_from"],
                }
                if measured != wanted:
                    raise InputError(
                        f"scores of {row}, {network}: params.yaml says {wanted}, they were measured with {measured}: "
                        "run `dvc repro`"
                    )


def distances(seeds: list[Result]) -> list[str]:
    """Names of the distances that a network was measured with, given its results of all seeds."""
    return list(seeds[0].file["distances"])


def metrics(results: Results) -> Metrics:
    """The content of metrics.json: row -> network -> distance -> {rank1, rank5, rank10, mAP, mAP_step}, per cent.

    They are means over seeds; with several seeds each has its standard deviation beside it, rank1_std and so on.
    """
    return {
        row: {
            network: {
                name: _over_seeds([result.file["distances"][name] for result in seeds]) for name in distances(seeds)
            }
            for network, seeds in networks.items()
        }
        for row, networks in results.items()
    }


def summary(metrics: Metrics, rule: str) -> dict[str, dict[str, float]]:
    """Few numbers of each row: row -> `NETWORK-DISTANCE Rank-1` and `NETWORK-DISTANCE mAP`, per cent.

    Args:
        metrics: of `metrics`.
        rule: `trapezoid` or `step`: the rule of the mAP.
    """
    keys = {"Rank-1": "rank1", "mAP": {"trapezoid": "mAP", "step": "mAP_step"}[rule]}
    return {
        row: {
            f"{network}-{distance} {title}": values[key]
            for network, by_distance in networks.items()
            for distance, values in by_distance.items()
            for title, key in keys.items()
        }
        for row, networks in metrics.items()
    }


def _read(path: Path) -> Result:
    keys = ("distances", "trained_on", "learnt_from", "pooling", "queries_without_match", "device", "image_size")
    return Result(read_score(path, keys=keys), read_parquet(path.with_suffix(".parquet")))


def _over_seeds(scores: list[dict[str, Any]]) -> dict[str, float]:
    """Mean of each metric over the seeds and, of several, the standard deviation of the sample."""
    summary = {key: round(statistics.fmean(score[key] for score in scores), 2) for key in KEYS}
    if len(scores) > 1:
        summary |= {f"{key}_std": round(statistics.stdev(score[key] for score in scores), 2) for key in KEYS}
    return summary
