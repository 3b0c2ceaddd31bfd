"""Measure a trained Re-ID network on the test set, with each of its distances."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines import layout
from pipelines.console import stage
from pipelines.reid_params import EvaluationParams
from pipelines.report.feature_map import feature_map
from pipelines.runtime import describe, set_up
from reid.common.errors import InputError
from reid.common.saved import save_json
from reid.distances import DISTANCES, Euclidean
from reid.evaluation.features import extract, normalise
from reid.evaluation.multi_query import multi_query
from reid.evaluation.ranking import Ranking, evaluate, evaluate_blocks
from reid.evaluation.search import nearest
from reid.files import samples
from reid.files.images import load
from reid.networks import storage
from reid.pictures.maps import on_a_plane
from reid.pictures.rank_lists import RankList, rank_list

CMC_RANKS = 50  # kept for the figure
LISTED = 12  # gallery images of a rank list
MAPPED = 10  # people on the map of features
Features = NDArray[np.float32]


def run(
    distances: list[str],
    evaluation: EvaluationParams,
    train: Path,
    model: Path,
    out: Path,
    device_name: str,
    threads: int,
) -> None:
    """Write the scores of the network in `model`, and some of its rank lists, to the JSON file `out`.

    Beside it, with the suffix .parquet, is what each query is worth by each distance: columns query, distance,
    first_rank, ap_trapezoid, ap_step. With the suffix .png there is a map of the network's features
    of some people's training images.

    Args:
        distances: keys of `reid.distances.DISTANCES`.
        evaluation: its section.
        train: folder with the `train.parquet` that the network was trained on, from which metrics are learnt.
        model: folder that train-reid wrote.
        out: file to write.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.
    """
    device = set_up(device_name, threads)
    with stage(f"evaluate {model.name}", f"distances {', '.join(distances)}, on {describe(device, threads)}") as say:
        network, config = storage.load(model, device)
        trained_on = samples.read(train / "train.parquet")
        _check_training_set(trained_on, config["trained_on"], model, train)
        query, gallery = (samples.read(layout.samples(split)) for split in ("query", "gallery"))

        def features(table: pd.DataFrame, title: str) -> Features:
            images = load(table["archive"], table["image"], tuple(config["image_size"])).to(device)
            found = extract(network, images, title=title)
            return normalise(found) if evaluation.normalise else found

        of_query, of_gallery = features(query, "query"), features(gallery, "gallery")
        if evaluation.queries != "single":
            pool = samples.read(layout.samples("pool"))
            of_query = multi_query(
                of_query,
                query["identity"].to_numpy(),
                query["camera"].to_numpy(),
                features(pool, "pool"),
                pool["identity"].to_numpy(),
                pool["camera"].to_numpy(),
                evaluation.queries,
            )
        known: tuple[NDArray[Any], ...] = ()
        rankings = {}
        for name in distances:
            distance = DISTANCES[name]()
            if distance.learns:
                known = known or _training(trained_on, evaluation.metric_train, features)
                try:
                    distance.fit(*known)
                except InputError as error:
                    raise InputError(f"{error}. Without {name}: take it out of `distances` in params.yaml") from error
            rankings[name] = _rank(distance, of_query, of_gallery, query, gallery, threads)
            scores = _scores(rankings[name])
            say(f"{name}: Rank-1 {scores['rank1']}, mAP {scores['mAP']} (step {scores['mAP_step']})")
        first = rankings.get("euclidean") or _rank(Euclidean(), of_query, of_gallery, query, gallery, threads)
        spread = np.unique(np.linspace(0, len(query) - 1, evaluation.sheet_queries).astype(int))
        matched = np.flatnonzero(first.first_rank)
        hardest = matched[np.argsort(first.ap_trapezoid[matched], kind="stable")[: evaluation.sheet_queries]]
        lists = [
            [found._asdict() for found in _rank_lists(query, gallery, of_query, of_gallery, rows)]
            for rows in (spread, hardest)
        ]
        result = {
            "network": config["network"],
            "trained_on": config["trained_on"],
            "device": describe(device, threads),
            "queries": len(query),
            "pooling": evaluation.queries,
            "queries_without_match": int((first.first_rank == 0).sum()),
            "gallery": len(gallery),
            "learnt_from": evaluation.metric_train if known else None,
            "distances": {name: _scores(ranking) for name, ranking in rankings.items()},
            "rank_lists": lists[0],
            "hardest": lists[1],
        }
        samples.write_parquet(_of_queries(query, rankings), out.with_suffix(".parquet"))
        shown = _some_people(trained_on)
        feature_map(on_a_plane(features(shown, "map")), shown, model.name, out.with_suffix(".png"))
        save_json(result, out, indent=1)


def _check_training_set(table: pd.DataFrame, trained_on: dict[str, int], model: Path, train: Path) -> None:
    """Raise InputError where the network was trained on other images than those of the table."""
    generated = int((table["origin"] != samples.REAL).sum())
    if (len(table), generated) != (trained_on["images"], trained_on["generated"]):
        raise InputError(
            f"{model} was trained on {trained_on['images']} images, {trained_on['generated']} of them generated; "
            f"{train / 'train.parquet'} has {len(table)} and {generated}: give the folder it was trained on by --train"
        )


def _rank(
    distance: Any, of_query: Features, of_gallery: Features, query: pd.DataFrame, gallery: pd.DataFrame, threads: int
) -> Ranking:
    labels = (
        query["identity"].to_numpy(),
        query["camera"].to_numpy(),
        gallery["identity"].to_numpy(),
        gallery["camera"].to_numpy(),
    )
    if distance.whole:
        return evaluate(distance.matrix(of_query, of_gallery), *labels, threads)
    return evaluate_blocks(
        lambda start, stop: distance.matrix(of_query, of_gallery[start:stop]), *labels, threads=threads
    )


def _training(table: pd.DataFrame, which: str, features: Any) -> tuple[NDArray[Any], ...]:
    """Features, identities and cameras of the `real` training images, or of `all`."""
    if which == "real":
        table = table[table["origin"] == samples.REAL]
    return features(table, "train"), table["identity"].to_numpy(), table["camera"].to_numpy()


def _some_people(train: pd.DataFrame) -> pd.DataFrame:
    """All training images of MAPPED people, spread over those of whom there are generated images, or over all."""
    generated = train["origin"] != samples.REAL
    people = np.unique(train.loc[generated if generated.any() else ~generated, "identity"])
    chosen = people[np.unique(np.linspace(0, len(people) - 1, MAPPED).astype(int))]
    return train[train["identity"].isin(chosen)].reset_index(drop=True)


def _of_queries(query: pd.DataFrame, rankings: dict[str, Ranking]) -> pd.DataFrame:
    tables = [
        pd.DataFrame(
            {
                "query": query["image"],
                "distance": name,
                "first_rank": ranking.first_rank,
                "ap_trapezoid": ranking.ap_trapezoid,
                "ap_step": ranking.ap_step,
            }
        )
        for name, ranking in rankings.items()
    ]
    return pd.concat(tables, ignore_index=True)


def _scores(ranking: Ranking) -> dict[str, object]:
    """Per cent, rounded to hundredths."""

    def percent(share: float) -> float:
        return round(100 * float(share), 2)

    ranks = {f"rank{rank}": percent(ranking.cmc[min(rank, len(ranking.cmc)) - 1]) for rank in (1, 5, 10)}
    return {
        **ranks,
        "mAP": percent(ranking.mean_ap_trapezoid),
        "mAP_step": percent(ranking.mean_ap_step),
        "cmc": [percent(share) for share in ranking.cmc[:CMC_RANKS]],
    }


def _rank_lists(
    query: pd.DataFrame, gallery: pd.DataFrame, of_query: Features, of_gallery: Features, rows: NDArray[np.int64]
) -> list[RankList]:
    """The nearest gallery images (Euclidean) of some queries."""
    found = nearest(of_query[rows], of_gallery, LISTED)
    return [rank_list(query.iloc[row], gallery, near) for row, near in zip(rows, found, strict=True)]
