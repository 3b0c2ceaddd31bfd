"""What deformable skips, the nearest-neighbour loss and a second source add to an iteration, and generation's speed.

python -m benchmarks.training_step [--width 1]

An iteration is a step of the method, with the batches it takes; the loop's running average of the weights is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from unittest.mock import patch

import torch
from torch import Tensor, nn

from augment.data.batch import Batch
from augment.data.people import People
from augment.data.tuples import Tuples, with_further_sources
from augment.methods.adversarial import Adversarial
from augment.methods.disentangled.method import Disentangled
from augment.methods.multi_source.method import MultiSourceGAN
from augment.methods.pose_gan.method import PoseGAN
from augment.networks.blocks import WARPED_LEVELS
from benchmarks.compare import command, compare
from tests.poses import random_poses

SIZE, PEOPLE, ITERATIONS = (128, 64), 64, 3


class Unwarped(nn.Module):
    """Takes the place of a deformable skip: features stay where they are."""

    def forward(self, features: Tensor, affine: None, masks: None, stride: int) -> Tensor:
        """Features (B, C, h, w) as they are; there must be no maps, or the time to make them would be measured."""
        assert affine is None
        assert masks is None
        return features


def main(width: float = 0.25, batch: int = 4, images: int = 32, rounds: int = 3, threads: int = 2) -> None:
    torch.set_num_threads(threads)
    people = People(torch.randint(0, 256, (PEOPLE, 3, *SIZE), dtype=torch.uint8), random_poses(PEOPLE, 0))

    def method(features: str, neighbourhood: int) -> PoseGAN:
        return PoseGAN(SIZE, width=width, features=features, neighbourhood=neighbourhood, batch_size=batch)

    def training(method: Adversarial) -> Callable[[], None]:
        phase, *_ = method.phases(torch.device("cpu"))
        sources, random = method.needs.sources, torch.Generator().manual_seed(0)

        def drawn(pairs: Tensor) -> Tuples:
            return with_further_sources(pairs, torch.zeros(PEOPLE, dtype=torch.long), sources, random)

        def iterate() -> None:
            for _ in range(ITERATIONS):
                rows = torch.randint(PEOPLE, (phase.batches, batch, 2))
                method.step(phase, 0, (people.batch(drawn(part)) for part in rows))

        return iterate

    full, still, pixels = method("vgg16-hed", 3), method("vgg16-hed", 1), method("pixels", 1)
    still.generator.deform = nn.ModuleList(Unwarped() for _ in range(WARPED_LEVELS))
    train_full, train_still, train_pixels = (training(version) for version in (full, still, pixels))

    def without_warp() -> None:
        with patch("augment.networks.source_stream.part_transforms", lambda *_: (None, None)):
            train_still()

    title = f"{ITERATIONS} iterations, width {width}, batch {batch}, against "
    compare(title + "no warp, n = 1", train_full, without_warp, rounds)
    compare(title + "pixels, n = 1", train_full, train_pixels, rounds)
    two = MultiSourceGAN(SIZE, sources=2, width=width, features="vgg16-hed", batch_size=batch)
    compare(title + "one source, not two", training(two), train_full, rounds)
    mapping, mapping_anew = mappings(people, width, 8 * batch)
    compare("an iteration of a mapping, against embedding anew", mapping, mapping_anew, rounds)
    full.generator.eval()
    rows = torch.arange(images) % PEOPLE
    wanted = people.batch(Tuples.of_pairs(rows, rows.flip(0)), with_target=False)
    with torch.inference_mode():
        full.generate(wanted)
        start = time.perf_counter()
        full.generate(wanted)
    print(f"generation: {images / (time.perf_counter() - start):.3g} images a second")


def mappings(people: People, width: float, batch: int) -> tuple[Callable[[], None], Callable[[], None]]:
    """An iteration of DPIG's mapping to foregrounds: as it is, and where each embeds its own images."""
    method = Disentangled(SIZE, width=width, mapping_batch_size=batch)
    phase = next(one for one in method.phases(torch.device("cpu")) if one.name == "foreground mapping")
    method.begin(phase, people)

    def drawn(pixels: bool) -> list[Batch]:
        rows = torch.randint(PEOPLE, (phase.batches, batch))
        return [people.batch(Tuples.of_pairs(own, own), with_target=False, pixels=pixels) for own in rows]

    def iterate() -> None:
        method.step(phase, 0, iter(drawn(pixels=False)))

    def anew() -> None:
        batches = drawn(pixels=True)
        for own in batches:
            method.embeddings("foreground", *own.single_source())
        method.step(phase, 0, iter(batches))

    return iterate, anew


if __name__ == "__main__":
    command(main)()
