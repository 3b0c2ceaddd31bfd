"""Generate alpha - 1 images for each training image, labelled with its identity."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch

from augment import methods
from augment.generation import generate_zip, redrawn
from augment.plans import check_alpha
from augment.plans.redraw import redraw, tuples_of
from augment.poses import bank
from pipelines import augmented, layout, resume
from pipelines.console import stage
from pipelines.people import read_people
from pipelines.runtime import Threads, describe, set_up
from reid.common.checkpoints import Scratch
from reid.common.digests import digest
from reid.common.errors import InputError
from reid.common.saved import load_json
from reid.files import samples


class DrawnSet(NamedTuple):
    """New images, in a zip, and what is known about them."""

    real: pd.DataFrame  # sample table of the real training images
    new: pd.DataFrame  # sample table of the new ones
    provenance: dict[str, Any]
    scratch: Scratch  # keeps what is drawn until the caller removes it
    unusable: int  # real images whose poses the method cannot use


def run(name: str, alpha: int, seed: int, device_name: str, threads: Threads, size: tuple[int, int]) -> None:
    """Write `data/augmented/NAME-aALPHA/`: `images.zip`, `train.parquet`, `provenance.json`, `sheet.png`.

    Args:
        name: of a trained generator.
        alpha: size of the training set as a multiple of the real one, from 2.
        seed: of the choice of poses, and of further sources where the method takes several.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.
        size: (H, W) of the images.

    Raises:
        InputError: alpha is too small, or no image has a usable pose.
    """
    check_alpha(alpha)
    device = set_up(device_name, threads)
    row, folder = layout.row_name(name, alpha), layout.augmented(name, alpha)
    does = f"{alpha - 1} generated for each training image on {describe(device)}"
    with stage(f"augment {row}", does) as say, augmented.replacing(folder) as made:
        drawn = draw(name, row, alpha, made / augmented.IMAGES, seed, device, threads, size)
        augmented.write(drawn.real, drawn.new, made, folder, drawn.provenance | {"alpha": alpha}, say)
        say(f"{drawn.unusable:,} of {len(drawn.real):,} images have no usable pose and were not redrawn")
    drawn.scratch.remove()


def draw(
    name: str,
    row: str,
    alpha: int,
    archive: Path,
    seed: int,
    device: torch.device,
    threads: Threads,
    size: tuple[int, int],
) -> DrawnSet:
    """Redraw each training image in alpha - 1 poses, into the zip `archive`.

    The poses are those of training images, or of the pose bank that the generator was trained with.

    Args:
        name: of a trained generator.
        row: of the results table that the images are for.
        alpha: from 2.
        archive: zip to write.
        seed: of the choice of poses, and of further sources where the method takes several.
        device: to work on.
        threads: CPU threads.
        size: (H, W) of the images.

    Raises:
        InputError: no image has a usable pose.
    """
    gan = layout.gan(name)
    real = samples.read(layout.samples("train"))
    method = methods.load(gan, device, size)
    config = load_json(gan / "config.json", ("trainings",), methods.storage.REMEDY)
    said = config["trainings"][-1].get("poses") if config["trainings"] else None
    poses = None
    if said is not None:
        path = bank.present(Path(said["file"]))
        if digest(path) != said["sha256"]:
            raise InputError(
                f"{path} is not the pose bank that {name} was trained with: restore it, or train {name} again"
            )
        poses = bank.read(path, size, method.usable_target, said["size"])
    people = replace(read_people(real, size, method.needs), bank=poses and poses.poses)
    usable = method.usable_source(people.poses).numpy()
    new = redraw(
        real,
        alpha,
        seed,
        row,
        archive.as_posix(),
        usable_sources=usable,
        usable_targets=method.usable_target(people.poses).numpy(),
        sources=method.needs.sources,
        bank=poses and poses.names,
    )
    settings = {"row": row, "alpha": alpha, "seed": seed, "size": size, "threads": threads, "device": device.type}
    inputs = [gan / "weights.pt", gan / "config.json", layout.samples("train"), layout.poses()]
    inputs += [*samples.archives(real), *([] if said is None else [Path(said["file"])])]
    scratch = resume.scratch(f"augment-{row}", settings, inputs, __name__, [type(method)])
    tuples = tuples_of(new, "pose_of", real["image"], method.needs.sources, poses and poses.names)
    generate_zip(redrawn(method, people.to(device), tuples), list(new["image"]), archive, scratch, seed=seed)
    provenance = {
        "row": row,
        "seed": seed,
        "image_size": size,
        "generator": config,
        "weights_sha256": digest(gan / "weights.pt"),
    }
    return DrawnSet(real, new, provenance, scratch, int((~usable).sum()))
