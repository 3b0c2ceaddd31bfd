"""What deformable skips and the nearest-neighbour loss add to a training iteration, and generation's speed.

python benchmarks/training_step.py [WIDTH [BATCH]]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import torch
from compare import compare

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from conftest import random_poses

from augment.data.people import People
from augment.generators import GENERATORS
from augment.methods.pose_gan.discriminator import Discriminator
from augment.networks.features import FEATURES, Pixels
from augment.training import train
from reid.common.checkpoints import Scratch

SIZE = (128, 64)


def main(width: float = 0.25, batch: int = 4) -> None:
    torch.set_num_threads(2)
    people = People(torch.randint(0, 256, (64, 3, *SIZE), dtype=torch.uint8), random_poses(64, 0))
    pairs = torch.cartesian_prod(torch.arange(64), torch.arange(64))
    generator = GENERATORS["deformable"](SIZE, width)
    discriminator, vgg = Discriminator(SIZE, width), FEATURES["vgg16-hed"]("conv1_2")

    def iterate(features: torch.nn.Module, neighbourhood: int) -> None:
        with tempfile.TemporaryDirectory() as folder, patch("augment.training.progress", lambda items, *_: items):
            scratch = Scratch("s", {}, Path(folder))
            scratch.save = lambda state: None  # type: ignore[method-assign]
            options = {"batch_size": batch, "neighbourhood": neighbourhood, "reconstruction_weight": 0.01}
            train(generator, discriminator, features, people, pairs, scratch, iterations=3, **options)

    def without_warp() -> None:
        still = patch.multiple("augment.methods.pose_gan.deformable", warp=lambda x, _: x, routes=lambda *_, **__: None)
        maps = patch("augment.methods.pose_gan.deformable.part_transforms", lambda *_: (None, None))
        with still, maps:
            iterate(vgg, 1)

    def in_pixels() -> None:
        iterate(Pixels(), 1)

    title = f"3 iterations, width {width}, batch {batch}, "
    compare(title + "against no warp, n = 1", lambda: iterate(vgg, 3), without_warp, rounds=3)
    compare(title + "against pixels, n = 1", lambda: iterate(vgg, 3), in_pixels, rounds=3)
    rows = torch.arange(32)
    with torch.inference_mode():
        generator.generate(people.batch(rows, rows.flip(0)))
        start = time.perf_counter()
        generator.generate(people.batch(rows, rows.flip(0)))
    print(f"generation: {32 / (time.perf_counter() - start):.0f} images a second")


if __name__ == "__main__":
    main(*(kind(word) for kind, word in zip((float, int), sys.argv[1:], strict=False)))
