"""Train one Re-ID network on a training set: real images, generated ones, or both; if wanted, then without labels."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from pipelines import layout, resume
from pipelines.console import stage
from pipelines.reid_params import ReidParams
from pipelines.runtime import Threads, describe, set_up
from reid.common.checkpoints import State
from reid.files import samples
from reid.files.images import load
from reid.networks import IDE, NETWORKS, storage
from reid.randomness.seeds import seed_for
from reid.training.labelling import label
from reid.training.loop import train as train_network
from reid.training.progressive import Refined, refine

MAY_HOLD = ("network.pt", "config.json", "losses.tsv", "rounds.tsv", "clusters.parquet", "rounds")  # a network's folder


def run(
    reid: ReidParams,
    train: Path,
    out: Path,
    seed: int,
    device_name: str,
    threads: Threads,
    size: tuple[int, int],
) -> None:
    """Write to `out`: `network.pt`, `config.json`, `losses.tsv`.

    With a section `progressive` the network is trained further on the real training images, whose identities are not
    looked at; `rounds.tsv` and `clusters.parquet` (image, round, cluster, reliable) say what it did, and with `keep`
    `rounds/NN/` has the network after each round, from 00, before the first.

    Args:
        reid: section of the network.
        train: folder with `train.parquet`.
        out: folder to write.
        seed: of the initial classifier, the order of images, flips and dropout.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.
        size: (H, W) that images are held in memory at.
    """
    device = set_up(device_name, threads)
    table = samples.read(train / "train.parquet")
    is_generated = (table["origin"] != samples.REAL).to_numpy()
    generated = int(is_generated.sum())
    used = {"network", "options", "training", "progressive"} | ({"generated"} if generated else set())
    settings = {"reid": reid.model_dump(include=used), "seed": seed, "size": size}
    settings |= {"threads": threads, "device": device.type}
    inputs = [train / "train.parquet", *samples.archives(table)]
    weights = reid.options.get("weights")
    if weights and Path(weights).exists():  # if not, building the network raises an error that says so
        inputs.append(Path(weights))
    unlabelled = samples.read(layout.samples("train")) if reid.progressive else None
    if unlabelled is not None:
        inputs += [layout.samples("train"), *samples.archives(unlabelled)]
    scratch = resume.scratch(f"reid-{out.name}", settings, inputs, __name__, [NETWORKS[reid.network]])
    does = f"{reid.training['iterations']:,} iterations on {len(table):,} images, {generated:,} of them generated"
    does += f", on {describe(device)}"
    with (
        stage(f"train-reid {out.name}", does) as say,
        resume.output(scratch, out, MAY_HOLD, settings, say) as folder,
    ):
        if folder is None:
            return
        images = load(table["archive"], table["image"], size).to(device)
        labelled = label(table["identity"].to_numpy(), is_generated, **reid.generated)
        torch.manual_seed(seed_for(seed, "initial weights"))
        options = {"classes": labelled.classes, **reid.options}
        network = NETWORKS[reid.network](**options).to(device)
        log = train_network(
            network,
            images,
            torch.from_numpy(labelled.labels).to(device),
            torch.from_numpy(labelled.smoothing).to(device),
            torch.from_numpy(labelled.weights).to(device),
            scratch,
            **reid.training,
            seed=seed,
        )
        about = {
            "trained_on": {
                "images": len(table),
                "generated": generated,
                "identities": table["identity"].nunique(),
                "origins": sorted(set(table["origin"])),
                **({} if unlabelled is None else {"unlabelled": len(unlabelled)}),
            },
            "image_size": list(size),
        }
        if unlabelled is not None:
            refined = _refine(network, reid, options, unlabelled, scratch, folder, about, seed, device)
            network, options = refined.network, options | {"classes": refined.classes}
            say(f"{len(refined.log)} rounds, agreement of the last two {refined.log[-1]['agreement']:.3f}")
        storage.save(network, reid.network, options, folder, about)
        samples.write_tsv(pd.DataFrame(log), folder / "losses.tsv", "%.5g")
        say(f"loss {log[0]['loss']:.3f} -> {log[-1]['loss']:.3f}")


def _refine(
    network: IDE,
    reid: ReidParams,
    options: dict[str, Any],
    unlabelled: pd.DataFrame,
    scratch: State,
    out: Path,
    about: dict[str, Any],
    seed: int,
    device: torch.device,
) -> Refined:
    """Train a network further on images without labels, and write what the rounds did."""
    assert reid.progressive is not None

    def make(classes: int) -> IDE:
        made: IDE = NETWORKS[reid.network](**options | {"classes": classes}, pretrained=False)
        return made

    # The rounds' networks wait in the scratch folder: DVC empties `out` before an interrupted stage goes on.
    part = scratch.part("progressive")
    rounds = part.folder / "rounds"

    def keep(number: int, current: IDE, classes: int) -> None:
        storage.save(current, reid.network, options | {"classes": classes}, rounds / f"{number:02d}", about)

    if reid.progressive["keep"]:
        keep(0, network, options["classes"])
    images = load(unlabelled["archive"], unlabelled["image"], tuple(about["image_size"])).to(device)
    refined = refine(network, make, images, reid.training, part, **reid.progressive, seed=seed, on_round=keep)
    if rounds.exists():
        shutil.copytree(rounds, out / "rounds")
    samples.write_tsv(pd.DataFrame(refined.log), out / "rounds.tsv", "%.5g")
    clusterings = [
        pd.DataFrame(
            {"image": unlabelled["image"], "round": number, "cluster": found.clusters, "reliable": found.reliable}
        )
        for number, found in enumerate(refined.clusterings, 1)
    ]
    samples.write_parquet(pd.concat(clusterings, ignore_index=True), out / "clusters.parquet")
    return refined
