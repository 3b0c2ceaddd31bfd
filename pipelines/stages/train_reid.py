"""Train one Re-ID network on a training set: the real images, or those and generated ones."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import torch

from pipelines import resume
from pipelines.console import stage
from pipelines.reid_params import ReidParams
from pipelines.runtime import Threads, describe, set_up
from reid.files import samples
from reid.files.images import load
from reid.networks import NETWORKS, storage
from reid.randomness.seeds import seed_for
from reid.training.labelling import label
from reid.training.loop import train as train_network


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
    scratch = resume.scratch(f"reid-{out.name}", settings, inputs, __name__, [NETWORKS[reid.network]])
    does = f"{reid.training['iterations']:,} iterations on {len(table):,} images, {generated:,} of them generated"
    with stage(f"train-reid {out.name}", f"{does}, on {describe(device)}") as say:
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
        trained_on = {"images": len(table), "generated": generated, "identities": table["identity"].nunique()}
        storage.save(network, reid.network, options, out, {"trained_on": trained_on, "image_size": list(size)})
        samples.write_tsv(pd.DataFrame(log), out / "losses.tsv", "%.5g")
        scratch.remove()
        say(f"loss {log[0]['loss']:.3f} -> {log[-1]['loss']:.3f}")
