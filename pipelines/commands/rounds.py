"""Scores of a network after each round of training without labels, beside what the rounds themselves knew."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import torch

from pipelines import layout
from pipelines.console import stage
from pipelines.embedding import embedded
from pipelines.report import figures
from pipelines.report.results import read_table
from pipelines.runtime import Threads, describe, set_up
from pipelines.stages.evaluate import Extract, rank, read_test_set, rounded
from reid.distances import Euclidean
from reid.files import samples
from reid.files.samples import read_parquet, write_tsv
from reid.networks import IDE, storage


def run(model: Path, out: Path, mirror: bool, device_name: str, threads: Threads) -> None:
    """Write OUT.tsv, a line for each round, and OUT.png.

    Columns: round (0: before the first), what `rounds.tsv` has, truth (the adjusted Rand index of the round's clusters
    against the people that the images show; NaN where these are not the training images), rank1 and mAP of the test
    set, in per cent: by Euclidean distance of features of length 1, single queries, whatever `evaluation` says. Neither
    the people nor the test set had a say in training.

    Args:
        model: folder of a network that train-reid or refine has trained without labels.
        out: table and figure to write, without suffix.
        mirror: whether it embeds each image together with its mirror image.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.

    Raises:
        FileNotFoundError: the network was not trained so.
    """
    from sklearn.metrics import adjusted_rand_score

    device = set_up(device_name, threads)
    if not (model / "rounds.tsv").exists() or not (model / "rounds").exists():
        raise FileNotFoundError(
            f"{model} holds no rounds: train-reid and refine keep them for a section of `reid` with `progressive`, "
            "`keep: true`"
        )
    with stage("rounds", f"{model.name}, on {describe(device)}") as say:
        log = read_table(model / "rounds.tsv").set_index("round")
        people = samples.read(layout.samples("train"))[["archive", "image", "identity"]]
        clusters = read_parquet(model / "clusters.parquet").merge(people, "left", ["archive", "image"])
        known = clusters["identity"].notna().all()
        truth = {
            number: adjusted_rand_score(own["identity"], own["cluster"]) if known else math.nan
            for number, own in clusters.groupby("round")
        }
        lines = []
        for folder in sorted((model / "rounds").glob("[0-9]*"), key=lambda folder: int(folder.name)):
            network, config = storage.load(folder, device)
            number = int(folder.name)
            test = read_test_set(_features(network, tuple(config["image_size"]), mirror, device), "single")
            scores = rounded(rank(Euclidean(), test))
            own = log.loc[number].to_dict() | {"truth": truth[number]} if number else {}
            lines.append({"round": number, **own, "rank1": scores["rank1"], "mAP": scores["mAP"]})
            say(", ".join(f"{key} {value:.4g}" for key, value in lines[-1].items()))
        table = pd.DataFrame(lines)
        numbers, picture = (out.with_name(out.name + suffix) for suffix in (".tsv", ".png"))
        write_tsv(table, numbers, "%.5g")
        figures.rounds(table, model.name, picture)
        say(f"{numbers}, {picture}")


def _features(network: IDE, size: tuple[int, int], mirror: bool, device: torch.device) -> Extract:
    return lambda table, title: embedded(network, table, size, mirror, device, title)
