"""Train one Re-ID network on a training set: real images, generated ones, or both; if wanted, then without labels."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import torch

from pipelines import layout, resume
from pipelines.console import stage
from pipelines.refining import HOLDS, in_words, refine_further
from pipelines.reid_params import ReidParams
from pipelines.runtime import Threads, describe, set_up
from reid.files import samples
from reid.files.images import load
from reid.networks import NETWORKS, storage
from reid.randomness.seeds import seed_for
from reid.training.labelling import label
from reid.training.loop import train as train_network

MAY_HOLD = (*HOLDS, "losses.tsv")


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
    looked at; `rounds.tsv` and `clusters.parquet` (archive, image, round, cluster, reliable) say what it did, and with
    `keep` `rounds/NN/` has the network after each round, from 00, before the first.

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
    used = {"network", "options", "training"} | ({"generated"} if generated else set())
    settings = {"reid": reid.model_dump(include=used), "seed": seed, "size": size}
    settings |= {"threads": threads, "device": device.type}
    inputs = [train / "train.parquet", *samples.archives(table)]
    weights = reid.options.get("weights")
    if weights and Path(weights).exists():  # if not, building the network raises an error that says so
        inputs.append(Path(weights))
    unlabelled = samples.read(layout.samples("train")) if reid.progressive else None
    entries, with_labels = [NETWORKS[reid.network]], (settings, inputs)
    if unlabelled is not None:
        settings = settings | {"progressive": reid.progressive}
        inputs = [*inputs, layout.samples("train"), *samples.archives(unlabelled)]
    scratch = resume.scratch(f"reid-{out.name}", settings, inputs, __name__, entries)
    does = f"{reid.training['iterations']:,} iterations on {len(table):,} images, {generated:,} of them generated"
    does += f", on {describe(device)}"
    with (
        stage(f"train-reid {out.name}", does) as say,
        resume.output(scratch, out, MAY_HOLD, settings, say) as folder,
    ):
        if folder is None:
            return
        labels_scratch = scratch
        if unlabelled is not None:  # a run of its own, from which rounds by other settings can go on
            labels_scratch = resume.scratch(f"reid-{out.name}-labels", *with_labels, __name__, entries)
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
            labels_scratch,
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
            refined = refine_further(network, options, reid, unlabelled, scratch, folder, about, seed, device)
            say(in_words(refined))
        else:
            storage.save(network, reid.network, options, folder, about)
        samples.write_tsv(pd.DataFrame(log), folder / "losses.tsv", "%.5g")
        say(f"loss {log[0]['loss']:.3f} -> {log[-1]['loss']:.3f}")
    if labels_scratch is not scratch:
        labels_scratch.remove()
