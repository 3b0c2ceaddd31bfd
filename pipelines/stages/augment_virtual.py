"""Add people who do not exist to the training set, or make one of them alone, with a disentangled generator."""

from __future__ import annotations

import torch
from torch import Tensor

from augment import methods
from augment.generation import generate_zip
from augment.methods.disentangled.appearance import Appearance
from augment.methods.disentangled.manipulation import invented
from augment.methods.disentangled.method import Disentangled
from augment.plans import check_alpha
from augment.plans.virtual import virtual
from augment.poses import table as pose_table
from pipelines import augmented, layout, resume
from pipelines.console import stage
from pipelines.params import VirtualParams
from pipelines.runtime import Threads, describe, set_up
from reid.common.digests import digest
from reid.common.errors import InputError
from reid.common.saved import load_json
from reid.files import samples


def run(
    name: str,
    virtual_people: VirtualParams,
    alpha: int,
    seed: int,
    device_name: str,
    threads: Threads,
    size: tuple[int, int],
) -> None:
    """Write `data/augmented/NAME-aALPHA/`: `images.zip`, `train.parquet`, `provenance.json`, `sheet.png`.

    Args:
        name: of the row, a section of `virtual_people`.
        virtual_people: that section.
        alpha: there are alpha - 1 times as many new images as real ones, from 2.
        seed: of the noise, and of the choice of real poses.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.
        size: (H, W) of the images.

    Raises:
        FileNotFoundError: the generator is not trained.
        InputError: alpha is too small, no image has a usable pose, or the generator cannot invent people.
    """
    check_alpha(alpha)
    device = set_up(device_name, threads)
    row, folder = layout.row_name(name, alpha), layout.augmented(name, alpha)
    generator, poses = virtual_people.generator, virtual_people.poses
    does = f"people who do not exist, {virtual_people.images} images each, in {poses} poses, on {describe(device)}"
    with stage(f"augment {row}", does) as say, augmented.replacing(folder) as made:
        gan, archive = layout.gan(generator), made / augmented.IMAGES
        method = methods.load(gan, device, size)
        config = load_json(gan / "config.json", (), methods.storage.REMEDY)
        if not isinstance(method, Disentangled):
            raise InputError(f"{generator} cannot invent people: choose a disentangled method")
        for factor in method.codes:
            if (factor != "pose" or poses == "sampled") and (phase := method.untaught(factor)):
                raise InputError(
                    f"{generator} has not learnt to invent people in {poses} poses: train it with iterations of its "
                    f"phase {phase}"
                )
        real = samples.read(layout.samples("train"))
        known = pose_table.read(layout.poses(), list(real["image"]), size)
        usable = method.usable_target(known).numpy() if poses == "real" else None
        new = virtual(
            real,
            alpha,
            seed,
            row,
            archive.as_posix(),
            images=virtual_people.images,
            people=virtual_people.people,
            usable_targets=usable,
        )
        wanted = None
        if poses == "real":
            place = {image: index for index, image in enumerate(real["image"])}
            wanted = known[torch.tensor([place[image] for image in new["pose_of"]])].to(device)
        with torch.inference_mode():
            appearance, wanted = invented(method, list(new["identity"]), list(new["image"]), wanted, seed)

        def draw(start: int, stop: int) -> Tensor:
            return method.compose(Appearance(*(codes[start:stop] for codes in appearance)), wanted[slice(start, stop)])

        settings = {"row": row, "alpha": alpha, "seed": seed, "size": size, "threads": threads, "device": device.type}
        settings |= virtual_people.model_dump()
        inputs = [gan / "weights.pt", gan / "config.json", layout.samples("train"), layout.poses()]
        scratch = resume.scratch(f"augment-{row}", settings, inputs, __name__, [Disentangled])
        generate_zip(draw, list(new["image"]), archive, scratch, seed=seed)
        provenance = {
            "row": row,
            "alpha": alpha,
            "seed": seed,
            "image_size": size,
            "virtual_people": virtual_people.model_dump(),
            "generator": config,
            "weights_sha256": digest(gan / "weights.pt"),
        }
        augmented.write(real, new, made, folder, provenance, say, real_too=virtual_people.added)
    scratch.remove()
