"""Draw what a disentangled generator makes of test people: each factor made of noise, and people between two others."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from augment import methods
from augment.methods.disentangled.manipulation import (
    between,
    composed,
    encoded,
    from_noise,
    interpolated,
    noise,
    noise_of,
)
from augment.methods.disentangled.method import CODES, Disentangled
from augment.poses import Pose
from pipelines import layout
from pipelines.console import stage
from pipelines.people import places, read_pairs, usable_pairs
from pipelines.runtime import Threads, describe, set_up
from reid.common.errors import InputError
from reid.files import samples
from reid.files.images import pictures, to_float
from reid.pictures.sheets import sheet
from reid.randomness.seeds import seed_for


def run(name: str, out: Path, seed: int, device_name: str, threads: Threads, size: tuple[int, int]) -> None:
    """Write a sheet of the test people that are drawn during training (the paper's Figs. 4 to 7): see `lines`.

    Args:
        name: of a trained disentangled generator.
        out: PNG to write.
        seed: of the noise.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.
        size: (H, W) of the images.

    Raises:
        FileNotFoundError: the generator is not trained.
        InputError: its method is another, or can use none of the pairs.
    """
    device = set_up(device_name, threads)
    with stage("factors", f"{name}, on {describe(device)}") as say:
        method = methods.load(layout.gan(name), device)
        if not isinstance(method, Disentangled):
            raise InputError(
                f"{name} does not tell foreground, background and pose apart: choose a disentangled method"
            )
        shown = samples.read_parquet(layout.pairs("shown"))
        people, table = read_pairs("gallery", shown, size, method.needs)
        sources = places(usable_pairs(method, shown, people, table, name), table)[:, 0]
        people = people.to(device)
        torch.manual_seed(seed_for(seed, "factors"))
        with torch.no_grad():
            drawn = lines(method, to_float(people.images[sources]), people.poses[sources])
        rows = [(title, pictures(images)) for title, images in drawn.items()]
        sheet(
            rows, out, height=128, title=f"{name}: people who are not in the training set, and people who do not exist"
        )
        say(str(out))


def lines(method: Disentangled, images: Tensor, poses: Pose) -> dict[str, Tensor]:
    """Lines of the sheet, title -> (B, 3, H, W).

    There is a column for each image: itself, composed again of its own factors, with one of them or all made of noise;
    and one person made of noise in the poses of all. The last lines go from one person to another, evenly in the noise
    that their factors come from: the first and the last image's, found by descent, in all factors and in each alone;
    and two that are drawn.

    Args:
        method: on the device of the others.
        images: (B, 3, H, W) in [-1, 1].
        poses: (B, 18).
    """
    count = len(images)
    own, made = encoded(method, images, poses), from_noise(method, noise(method, count, images.device))
    first, ends = own.of([0]), noise_of(method, own.of([0, count - 1]))

    return {
        "source": images,
        "composed again": composed(method, own),
        "foreground from noise": composed(method, own._replace(foreground=made.foreground)),
        "background from noise": composed(method, own._replace(background=made.background)),
        "pose from noise": composed(method, own._replace(pose=made.pose)),
        "all from noise": composed(method, made),
        "one person from noise": method.sample(poses),
        "from the first to the last": interpolated(method, first, ends, tuple(CODES), count),
        **{
            f"its {factor} alone": interpolated(method, first, ends, (factor,), count)
            for factor in CODES
            if factor in method.codes
        },
        "between two noises": composed(method, from_noise(method, between(noise(method, 2, images.device), count))),
    }
