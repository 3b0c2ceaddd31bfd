"""Evaluate a trained Re-ID network on the test set: CMC and mAP with each of its distances."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from pipelines import layout
from pipelines.console import stage
from pipelines.reid_params import EvaluationParams, ReidParams
from pipelines.report.feature_map import feature_map
from pipelines.runtime import Threads, describe, set_up
from reid.common import atomic
from reid.common.errors import InputError
from reid.common.saved import load_json, save_json
from reid.distances import DISTANCES, Euclidean
from reid.evaluation.features import extract, normalise
from reid.evaluation.multi_query import multi_query
from reid.evaluation.ranking import Ranking, evaluate, evaluate_blocks
from reid.evaluation.search import nearest
from reid.files import samples
from reid.files.images import load
from reid.networks import storage
from reid.pictures.maps import on_a_plane
from reid.pictures.rank_lists import rank_list

CMC_RANKS = 50  # kept for the figure
LISTED = 12  # gallery images of a rank list
BY_QUERY = ("query", "distance", "first_rank", "ap_trapezoid", "ap_step")  # columns of the scores of each query
MAPPED = 10  # people in the plot of features on a plane
Features = NDArray[np.float32]
Extract = Callable[
    [pd.DataFrame, str], Features
]  # sample table of N images, title of the progress bar: features (N, D)


class TestSet(NamedTuple):
    """The test set: sample tables of Q queries and a gallery of G images, and their features (Q, D) and (G, D)."""

    query: pd.DataFrame
    gallery: pd.DataFrame
    of_query: Features
    of_gallery: Features


def run(
    reid: ReidParams,
    options: dict[str, dict[str, Any]],
    evaluation: EvaluationParams,
    train: Path,
    model: Path,
    out: Path,
    seed: int,
    device_name: str,
    threads: Threads,
) -> None:
    """Write the scores of the network in `model`, and some of its rank lists, to the JSON file `out`.

    Beside it, with the suffix .parquet, are the scores of each query by each distance: columns query, distance,
    first_rank, ap_trapezoid, ap_step. With the suffix .png there is a plot of the features of some people's training
    images, projected onto a plane.

    Args:
        reid: section of the network.
        options: of each distance, by its name.
        evaluation: section of the evaluation.
        train: folder with the `train.parquet` that the network was trained on, from which metrics are learnt.
        model: folder that train-reid wrote.
        out: file to write.
        seed: of the pairs that distances learn from, and of the plot of features; that of the network's training.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.

    Raises:
        InputError: `out` is taken, by something else or by another process; the network in `model` is another one, or
            was trained on other images; or no query has a match.
    """
    _check_out(out)
    device = set_up(device_name, threads)
    does = f"distances {', '.join(reid.distances)}, on {describe(device)}"
    with stage(f"evaluate {model.name}", does) as say, atomic.owning(out):
        network, config = storage.load(model, device)
        if config["network"] != reid.network:
            raise InputError(f"{model} holds a network {config['network']}, not {reid.network}: give another --model")
        table = samples.read(train / "train.parquet")
        _check_training_set(table, config["trained_on"], model, train)

        def features(of: pd.DataFrame, title: str) -> Features:
            images = load(of["archive"], of["image"], tuple(config["image_size"])).to(device)
            extracted = extract(network, images, title=title, mirror=reid.mirror)
            return normalise(extracted) if evaluation.normalise else extracted

        # Measure.
        test = read_test_set(features, evaluation.queries)
        learns = any(DISTANCES[name].learns for name in reid.distances)
        is_real = (table["origin"] == samples.REAL).any()
        which = (
            evaluation.metric_train if is_real else "all"
        )  # as there is nothing else in a set of virtual people alone
        training = learnt_from(table, which, features) if learns else ()
        rankings = {}
        for name in reid.distances:
            rankings[name] = rank(fitted(name, options[name], seed, training), test)
            scores = rounded(rankings[name])
            say(f"{name}: Rank-1 {scores['rank1']}, mAP {scores['mAP']} (step {scores['mAP_step']})")
        first = rankings.get("euclidean") or rank(Euclidean(), test)
        unmatched = int((first.first_rank == 0).sum())
        if unmatched == len(test.query):
            raise InputError(
                f"data/samples: none of the {unmatched:,} queries has a gallery image of its person in another camera, "
                "so there is nothing to measure: give the test set cameras, or leave the Re-ID stages out"
            )
        if unmatched:
            say(
                f"{unmatched:,} of {len(test.query):,} queries have no gallery image of their person in another "
                "camera: their average precision counts as 0"
            )
        result = {
            "network": config["network"],
            "trained_on": config["trained_on"],
            "image_size": config["image_size"],
            "device": describe(device),
            "queries": len(test.query),
            "pooling": evaluation.queries,
            "queries_without_match": unmatched,
            "gallery": len(test.gallery),
            "learnt_from": which if learns else None,
            "distances": {name: rounded(ranking) for name, ranking in rankings.items()},
            **rank_lists(test, first, evaluation.sheet_queries),
        }

        # Draw and write; the JSON file comes last, so that it is there only if all is, and an old one goes first.
        out.unlink(missing_ok=True)
        samples.write_parquet(by_query(test.query, rankings), out.with_suffix(".parquet"))
        draw_map(table, features, seed, model.name, out.with_suffix(".png"))
        save_json(result, out, indent=1)


def read_test_set(features: Extract, queries: Literal["single", "average", "max"]) -> TestSet:
    """The test set with its features, those of the queries pooled as `queries` says: see `multi_query`."""
    query, gallery = (samples.read(layout.samples(split)) for split in ("query", "gallery"))
    of_query, of_gallery = features(query, "query"), features(gallery, "gallery")
    if queries != "single":
        pool = samples.read(layout.samples("pool"))
        of_query = multi_query(
            of_query,
            query["identity"].to_numpy(),
            query["camera"].to_numpy(),
            features(pool, "pool"),
            pool["identity"].to_numpy(),
            pool["camera"].to_numpy(),
            queries,
        )
    return TestSet(query, gallery, of_query, of_gallery)


def learnt_from(table: pd.DataFrame, which: str, features: Extract) -> tuple[NDArray[Any], ...]:
    """Features, identities and cameras of a training set's images that metrics learn from: `real` ones, or `all`."""
    if which == "real":
        table = table[table["origin"] == samples.REAL]
    return features(table, "train"), table["identity"].to_numpy(), table["camera"].to_numpy()


def fitted(name: str, options: dict[str, Any], seed: int, training: tuple[NDArray[Any], ...]) -> Any:
    """A distance; one that learns is fitted to the training features, identities and cameras.

    Raises:
        InputError: they are too few to learn from.
    """
    if not DISTANCES[name].learns:
        return DISTANCES[name](**options)
    try:
        return DISTANCES[name](**options, seed=seed).fit(*training)
    except InputError as error:
        raise InputError(f"{error}. To evaluate without {name}, take it out of `distances` in params.yaml") from error


def rank(distance: Any, test: TestSet) -> Ranking:
    """Rank the gallery for each query by a distance."""
    query, gallery, of_query, of_gallery = test
    labels = (
        query["identity"].to_numpy(),
        query["camera"].to_numpy(),
        gallery["identity"].to_numpy(),
        gallery["camera"].to_numpy(),
    )
    cores = torch.get_num_threads()
    if distance.whole:
        return evaluate(distance.matrix(of_query, of_gallery), *labels, cores)
    return evaluate_blocks(
        lambda start, stop: distance.matrix(of_query, of_gallery[start:stop]), *labels, threads=cores
    )


def rounded(ranking: Ranking) -> dict[str, Any]:
    """The scores of a ranking, per cent, rounded to hundredths."""

    def percent(share: float) -> float:
        return round(100 * float(share), 2)

    ranks = {f"rank{rank}": percent(ranking.cmc[min(rank, len(ranking.cmc)) - 1]) for rank in (1, 5, 10)}
    return {
        **ranks,
        "mAP": percent(ranking.mean_ap_trapezoid),
        "mAP_step": percent(ranking.mean_ap_step),
        "cmc": [percent(share) for share in ranking.cmc[:CMC_RANKS]],
    }


def by_query(query: pd.DataFrame, rankings: dict[str, Ranking]) -> pd.DataFrame:
    """One entry for each query and distance: query, distance, first_rank, ap_trapezoid, ap_step."""
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
    return pd.concat(tables, ignore_index=True)[list(BY_QUERY)]


def rank_lists(test: TestSet, ranking: Ranking, count: int) -> dict[str, list[dict[str, Any]]]:
    """Rank lists, by Euclidean distance, of `count` queries spread over all (`rank_lists`) and of the `hardest` ones.

    The hardest are the `count` queries with the lowest average precision in `ranking`, those without a match left out.
    A rank list has the `distances` of its images, and the query's `average_precision` (trapezoid), too.
    """
    query, gallery, of_query, of_gallery = test
    spread = np.unique(np.linspace(0, len(query) - 1, count).astype(int))
    matched = np.flatnonzero(ranking.first_rank)
    hardest = matched[np.argsort(ranking.ap_trapezoid[matched], kind="stable")[:count]]

    def lists(queries: NDArray[np.int64]) -> list[dict[str, Any]]:
        neighbours = nearest(of_query[queries], of_gallery, LISTED)
        return [
            {
                **rank_list(query.iloc[index], gallery, own)._asdict(),
                "distances": np.linalg.norm(of_gallery[own] - of_query[index], axis=1).round(4).tolist(),
                "average_precision": round(float(ranking.ap_trapezoid[index]), 4),
            }
            for index, own in zip(queries, neighbours, strict=True)
        ]

    return {"rank_lists": lists(spread), "hardest": lists(hardest)}


def draw_map(table: pd.DataFrame, features: Extract, seed: int, network: str, path: Path) -> None:
    """Plot the features of the training images of MAPPED people, who have generated images if anybody has.

    The features are projected onto a plane; see `reid.pictures.maps.on_a_plane`.
    """
    generated = table["origin"] != samples.REAL
    people = np.unique(table.loc[generated if generated.any() else ~generated, "identity"])
    chosen = people[np.unique(np.linspace(0, len(people) - 1, MAPPED).astype(int))]
    shown = table[table["identity"].isin(chosen)].reset_index(drop=True)
    feature_map(on_a_plane(features(shown, "map"), seed), shown, network, path)


def _check_out(out: Path) -> None:
    """Raise InputError where the files to write would have no names of their own, or take the place of others."""
    if out.suffix != ".json":
        raise InputError(f"expected --out to end in .json, got {out}")
    beside = out.with_suffix(".parquet")
    others = [path for path in (out, beside, out.with_suffix(".png")) if path.exists()]
    if not others:
        return
    if out.exists():
        ours = "distances" in load_json(out, (), "choose another --out")
    else:  # of a run that was killed
        ours = beside.exists() and list(samples.read_parquet(beside).columns) == list(BY_QUERY)
    if not ours:
        raise InputError(f"{', '.join(map(str, others))} would be overwritten, and not by scores: choose another --out")


def _check_training_set(table: pd.DataFrame, trained_on: dict[str, Any], model: Path, train: Path) -> None:
    """Raise InputError where the network was trained on other images than those of the table."""
    generated = int((table["origin"] != samples.REAL).sum())
    origins = sorted(set(table["origin"]))
    if trained_on.get("origins", origins) != origins:
        raise InputError(
            f"{model} was trained on images of {', '.join(trained_on['origins'])}, {train / 'train.parquet'} has those "
            f"of {', '.join(origins)}: give the folder it was trained on by --train"
        )
    if (len(table), generated) != (trained_on["images"], trained_on["generated"]):
        raise InputError(
            f"{model} was trained on {trained_on['images']} images, {trained_on['generated']} of them generated; "
            f"{train / 'train.parquet'} has {len(table)} and {generated}: give the folder it was trained on by --train"
        )
