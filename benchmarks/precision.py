"""What bfloat16, and memory that is kept, save in a training iteration of Full.

python -m benchmarks.precision [--width 1]
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import torch

from augment.data.people import People
from augment.data.tuples import Tuples
from augment.methods.pose_gan.method import PoseGAN
from benchmarks.compare import command, compare
from pipelines.runtime import M_MMAP_MAX, M_TOP_PAD, M_TRIM_THRESHOLD, keep_memory
from tests.poses import random_poses

SIZE, PEOPLE = (128, 64), 64
GLIBC = {M_MMAP_MAX: 65536, M_TRIM_THRESHOLD: 131072, M_TOP_PAD: 131072}  # what it does where nothing is set


def return_memory() -> None:
    """Undo `keep_memory`."""
    mallopt = ctypes.CDLL("libc.so.6").mallopt
    for option, value in GLIBC.items():
        mallopt(option, value)


def main(width: float = 0.25, batch: int = 4, iterations: int = 3, rounds: int = 5, threads: int = 2) -> None:
    torch.set_num_threads(threads)
    people = People(torch.randint(0, 256, (PEOPLE, 3, *SIZE), dtype=torch.uint8), random_poses(PEOPLE, 0))
    method = PoseGAN(SIZE, width=width, features="vgg16-hed", batch_size=batch)
    (phase,) = method.phases(torch.device("cpu"))

    def training(keep: bool, reduced: bool) -> Callable[[], None]:
        def iterate() -> None:
            (keep_memory if keep else return_memory)()
            for _ in range(iterations):
                rows = torch.randint(PEOPLE, (phase.batches, batch, 2))
                with torch.autocast("cpu", torch.bfloat16, enabled=reduced):
                    method.step(phase, 0, (people.batch(Tuples.of_pairs(*part.T)) for part in rows))

        return iterate

    title = f"{iterations} iterations, width {width}, batch {batch}: "
    compare(title + "memory kept", training(True, False), training(False, False), rounds)
    compare(title + "and bfloat16", training(True, True), training(True, False), rounds)
    compare(title + "both", training(True, True), training(False, False), rounds)


if __name__ == "__main__":
    command(main)()
