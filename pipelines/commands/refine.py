"""Train a Re-ID network further on any images of people, without labels."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pandas as pd
from pydantic import ValidationError

from pipelines import resume
from pipelines.console import stage
from pipelines.refining import HOLDS, in_words, refine_further
from pipelines.reid_params import ReidParams, check_training
from pipelines.runtime import Threads, describe, set_up
from reid.common.errors import InputError
from reid.common.parameters import faults
from reid.datasets import market1501
from reid.datasets.folders import IMAGE_SUFFIXES
from reid.files.images import Archive
from reid.networks import storage

TRAINING = market1501.FOLDERS[0]


def run(
    name: str, reid: ReidParams, model: Path, images: Path, out: Path, seed: int, device_name: str, threads: Threads
) -> None:
    """Write to `out` what `train-reid` writes of a network with `progressive`, but `losses.tsv`.

    Args:
        name: of the section, for messages.
        reid: section with `progressive`.
        model: folder of the network to begin with.
        images: folder, or zip, all of whose images are taken, each of one person; of a data set in Market-1501's layout
            those of `bounding_box_train` alone.
        out: folder to write.
        seed: of clusters, classifiers and the order of images.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.

    Raises:
        InputError: the section has no `progressive`, or the network is of another kind or cannot learn by the section's
            `training`; there are no images, or fewer than clusters; or `out` is the network's folder, or among the
            images.
        FileNotFoundError: there is no such network, or no such folder of images.
    """
    if reid.progressive is None:
        raise InputError(
            f"reid.{name} has no `progressive`, which says how to train without labels: add it, as "
            "profiles/unlabelled.yaml has it, or name another section"
        )
    if out.resolve() == model.resolve() or images.resolve() in out.resolve().parents:
        raise InputError(f"--out {out} would change what the command reads: name a folder outside {model} and {images}")
    device = set_up(device_name, threads)
    network, config = storage.load(model, device)
    if config["network"] != reid.network:
        raise InputError(f"{model} holds a network {config['network']}, and reid.{name} is for {reid.network}")
    options = config.pop("options")
    try:
        check_training(reid.network, reid.training, options)
    except ValidationError as error:
        raise InputError(f"reid.{name} cannot train {model}: {'; '.join(faults(error))}") from error
    with Archive(images) as archive:
        names = archive.names()
    taken = [path for path in names if PurePosixPath(path).suffix.lower() in IMAGE_SUFFIXES]
    if any(TRAINING in PurePosixPath(path).parts[:-1] for path in taken):
        taken = [path for path in taken if TRAINING in PurePosixPath(path).parts[:-1]]
    table = pd.DataFrame({"archive": str(images), "image": taken})
    if table.empty:
        raise InputError(f"{images} has no images: expected files that end in {', '.join(IMAGE_SUFFIXES)}")
    settings = {"reid": reid.model_dump(include={"network", "training", "progressive"}), "seed": seed}
    settings |= {"threads": threads, "device": device.type}
    inputs = [model / "config.json", model / "network.pt", images]
    scratch = resume.scratch(f"refine-{out.name}", settings, inputs, __name__, [type(network)])
    does = f"{model} on {len(table):,} images without labels, on {describe(device)}"
    with stage(f"refine {out.name}", does) as say, resume.output(scratch, out, HOLDS, settings, say) as folder:
        if folder is None:
            return
        config.pop("network")
        about = config | {"trained_on": config["trained_on"] | {"unlabelled": len(table)}}
        refined = refine_further(network, options, reid, table, scratch, folder, about, seed, device)
        say(f"{in_words(refined)}; {len(names) - len(table):,} other files left out")
