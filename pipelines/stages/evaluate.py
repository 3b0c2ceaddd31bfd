"""Measure a trained Re-ID network on the test set, with each of its distances."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines import layout
from pipelines.console import stage
from pipelines.params import EvaluationParams
from pipelines.runtime import describe, set_up
from reid import samples
from reid.distances import DISTANCES
from reid.features import extract, normalise
from reid.images import load
from reid.networks import storage
from reid.ranking import Ranking, evaluate
from reid.search import nearest

CMC_RANKS = 50  # kept for the figure
LISTED = 10  # gallery images of a rank list
SEARCHED = 200  # nearest images among which a rank list is made, after junk is taken out


def run(
    distances: list[str],
    evaluation: EvaluationParams,
    model: Path,
    out: Path,
    device_name: str,
    threads: int,
) -> None:
    """Write the scores of the network in `model`, and some of its rank lists, to the JSON file `out`.

    Args:
        distances: keys of `reid.distances.DISTANCES`.
        evaluation: its section.
        model: folder that train-reid wrote.
        out: file to write.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.
    """
    device = set_up(device_name, threads)
    with stage(f"evaluate {model.name}", f"distances {', '.join(distances)}, on {describe(device, threads)}") as say:
        built, config = storage.load(model, device)
        query, gallery = (samples.read(layout.samples(split)) for split in ("query", "gallery"))

        def features(table: pd.DataFrame, title: str) -> NDArray[np.float32]:
            images = load(table["archive"], table["image"], tuple(config["image_size"])).to(device)
            found = extract(built, images, title=title)
            return normalise(found) if evaluation.normalise else found

        of_query, of_gallery = features(query, "query"), features(gallery, "gallery")
        labels = [table[column].to_numpy() for table in (query, gallery) for column in ("identity", "camera")]
        scores = {}
        for name in distances:
            distance = DISTANCES[name]()
            if distance.learns:
                train = samples.read(layout.samples("train"))
                distance.fit(features(train, "train"), train["identity"].to_numpy(), train["camera"].to_numpy())
            ranking = evaluate(distance.matrix(of_query, of_gallery), *labels)
            scores[name] = _scores(ranking)
            say(f"{name}: Rank-1 {scores[name]['rank1']}, mAP {scores[name]['mAP']} (step {scores[name]['mAP_step']})")
        result = {
            "network": config["network"],
            "trained_on": config["trained_on"],
            "device": describe(device, threads),
            "queries": len(query),
            "queries_without_match": int((ranking.first_rank == 0).sum()),
            "gallery": len(gallery),
            "distances": scores,
            "rank_lists": _rank_lists(query, gallery, of_query, of_gallery, evaluation.sheet_queries),
        }
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(result, indent=1) + "\n")


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
    query: pd.DataFrame,
    gallery: pd.DataFrame,
    of_query: NDArray[np.float32],
    of_gallery: NDArray[np.float32],
    count: int,
) -> list[dict[str, object]]:
    """The nearest gallery images (Euclidean) of some queries spread over the set, junk and same camera taken out."""
    rows = np.unique(np.linspace(0, len(query) - 1, count).astype(int))
    lists = []
    for row, near in zip(rows, nearest(of_query[rows], of_gallery, SEARCHED), strict=True):
        asked, found = query.iloc[row], gallery.iloc[near]
        same = found["identity"] == asked["identity"]
        removed = (found["identity"] == samples.JUNK) | (same & (found["camera"] == asked["camera"]))
        shown = found[~removed].head(LISTED)
        hits = (shown["identity"] == asked["identity"]).tolist()
        lists.append({"query": asked["image"], "gallery": shown["image"].tolist(), "hit": hits})
    return lists
