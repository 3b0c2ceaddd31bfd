"""Training of a Re-ID network that goes on with images without labels: its rounds, and what is written of them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from pipelines.reid_params import ReidParams
from reid.common.checkpoints import State
from reid.files import samples
from reid.files.images import load
from reid.networks import IDE, NETWORKS, storage
from reid.training.progressive import Refined, refine

HOLDS = ("network.pt", "config.json", "rounds.tsv", "clusters.parquet", "rounds")  # the folder of a network after them


def refine_further(
    network: IDE,
    options: dict[str, Any],
    reid: ReidParams,
    images: pd.DataFrame,
    scratch: State,
    out: Path,
    about: dict[str, Any],
    seed: int,
    device: torch.device,
) -> Refined:
    """Train a network further, and write it and what the rounds did: `rounds.tsv`, `clusters.parquet`, `rounds/NN/`.

    Args:
        network: trained, to begin with; it stays as it is.
        options: it was built with.
        reid: its section, with `progressive`.
        images: columns `archive` and `image`.
        scratch: of the run.
        out: folder to write to.
        about: for the networks' `config.json`, `image_size` among it.
        seed: of clusters, classifiers and the order of images.
        device: of the network.
    """
    assert reid.progressive is not None

    def make(classes: int) -> IDE:
        made: IDE = NETWORKS[reid.network](**options | {"classes": classes}, pretrained=False)
        return made

    # The rounds' networks wait in the scratch folder: DVC empties `out` before an interrupted stage goes on.
    part = scratch.part("progressive")
    rounds = part.folder / "rounds"

    def save(current: IDE, classes: int, folder: Path) -> None:
        storage.save(current, reid.network, options | {"classes": classes}, folder, about)

    def keep(number: int, current: IDE, classes: int) -> None:
        save(current, classes, rounds / f"{number:02d}")

    if reid.progressive["keep"]:
        keep(0, network, options["classes"])
    pixels = load(images["archive"], images["image"], tuple(about["image_size"])).to(device)
    refined = refine(network, make, pixels, reid.training, part, **reid.progressive, seed=seed, on_round=keep)
    if rounds.exists():
        shutil.copytree(rounds, out / "rounds")
    save(refined.network, refined.classes, out)
    samples.write_tsv(pd.DataFrame(refined.log), out / "rounds.tsv", "%.5g")
    clusterings = [
        images[["archive", "image"]].assign(round=number, cluster=found.clusters, reliable=found.reliable)
        for number, found in enumerate(refined.clusterings, 1)
    ]
    samples.write_parquet(pd.concat(clusterings, ignore_index=True), out / "clusters.parquet")
    return refined


def in_words(refined: Refined) -> str:
    """How many rounds there were, and whether they agreed in the end."""
    rounds, last = len(refined.log), refined.log[-1]["agreement"]
    return "1 round" if rounds == 1 else f"{rounds} rounds, agreement of the last two {last:.3f}"
