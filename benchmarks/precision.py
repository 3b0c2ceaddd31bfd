"""What bfloat16, and memory that is kept, save in a training iteration of Full.

python -m benchmarks.precision [--width 1]
"""

from __future__ import annotations

import statistics
import time

import torch

from augment.data.people import People
from augment.data.tuples import Tuples
from augment.methods.pose_gan.method import PoseGAN
from benchmarks.compare import command
from pipelines.runtime import keep_memory
from tests.poses import random_poses

SIZE, PEOPLE = (128, 64), 64


def main(width: float = 0.25, batch: int = 4, iterations: int = 3, rounds: int = 5, threads: int = 2) -> None:
    """The C library's defaults come first, since nothing brings them back."""
    torch.set_num_threads(threads)
    people = People(torch.randint(0, 256, (PEOPLE, 3, *SIZE), dtype=torch.uint8), random_poses(PEOPLE, 0))
    method = PoseGAN(SIZE, width=width, features="vgg16-hed", batch_size=batch)
    (phase,) = method.phases(torch.device("cpu"))

    def seconds(reduced: bool) -> float:
        """The median of all rounds."""
        measured = []
        for _ in range(rounds + 1):
            start = time.perf_counter()
            for _ in range(iterations):
                rows = torch.randint(PEOPLE, (phase.batches, batch, 2))
                with torch.autocast("cpu", torch.bfloat16, enabled=reduced, cache_enabled=False):
                    method.step(phase, 0, (people.batch(Tuples.of_pairs(*part.T)) for part in rows))
            measured.append(time.perf_counter() - start)
        return statistics.median(measured[1:])

    plain = seconds(reduced=False)
    keep_memory()
    kept, both = seconds(reduced=False), seconds(reduced=True)
    title = f"{iterations} iterations, width {width}, batch {batch}, {threads} threads"
    print(f"{title}: {plain:.3g} s, ratio {plain / plain:.3g}")
    print(f"the same, memory kept: {kept:.3g} s, ratio {plain / kept:.3g}")
    print(f"the same, in bfloat16 too: {both:.3g} s, ratio {plain / both:.3g}")


if __name__ == "__main__":
    command(main)()
