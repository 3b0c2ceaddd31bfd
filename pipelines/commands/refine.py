"""Train a Re-ID network further on any images of people, without labels."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pandas as pd

from pipelines import resume
from pipelines.console import stage
from pipelines.refining import MAY_HOLD, in_words, refine_further
from pipelines.reid_params import ReidParams
from pipelines.runtime import Threads, describe, set_up
from reid.common.errors import InputError
from reid.files.images import Archive
from reid.networks import storage

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


def run(
    name: str, reid: ReidParams, model: Path, images: Path, out: Path, seed: int, device_name: str, threads: Threads
) -> None:
    """Write to `out` what `train-reid` writes of a network with `progressive`, but `losses.tsv`.

    Args:
        name: of the section, for messages.
        reid: section with `progressive`.
        model: folder of the network to begin with.
        images: folder, or zip, all of whose images are taken, each of one person.
        out: folder to write.
        seed: of clusters, classifiers and the order of images.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.

    Raises:
        InputError: the section has no `progressive`, or the network is of another kind, or there are no images.
    """
    if reid.progressive is None:
        raise InputError(
            f"reid.{name} has no `progressive`, which says how to train without labels: add it, as "
            "profiles/unlabelled.yaml has it, or name another section"
        )
    device = set_up(device_name, threads)
    network, config = storage.load(model, device)
    if config["network"] != reid.network:
        raise InputError(f"{model} holds a network {config['network']}, and reid.{name} is for {reid.network}")
    with Archive(images) as archive:
        names = archive.names()
    table = pd.DataFrame({"image": [name for name in names if PurePosixPath(name).suffix.lower() in SUFFIXES]})
    table["archive"] = str(images)
    if table.empty:
        raise InputError(f"{images} has no images: expected files that end in {', '.join(SUFFIXES)}")
    settings = {"reid": reid.model_dump(include={"network", "training", "progressive"}), "seed": seed}
    settings |= {"threads": threads, "device": device.type}
    inputs = [model / "config.json", model / "network.pt", images]
    scratch = resume.scratch(f"refine-{out.name}", settings, inputs, __name__, [type(network)])
    does = f"{model} on {len(table):,} images without labels, on {describe(device)}"
    with stage(f"refine {out.name}", does) as say, resume.output(scratch, out, MAY_HOLD, settings, say) as folder:
        if folder is None:
            return
        options = config.pop("options")
        config.pop("network")
        about = config | {"trained_on": config.get("trained_on", {}) | {"unlabelled": len(table)}}
        refined = refine_further(network, options, reid, table, scratch, folder, about, seed, device)
        say(f"{in_words(refined)}; {len(names) - len(table):,} other files left out")
