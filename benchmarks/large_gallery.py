"""Ranking a gallery of Market-1501's size and 500,000 distractors: time, and the memory of the whole process.

python -m benchmarks.large_gallery

The features are random, and made anew for each block, as features in a file would be read.
"""

from __future__ import annotations

import resource
import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.compare import command
from reid.distances import Euclidean
from reid.evaluation.features import normalise
from reid.evaluation.ranking import evaluate_blocks

PEOPLE = 750


def features(shape: tuple[int, int], seed: int) -> NDArray[np.float32]:
    return normalise(np.random.default_rng(seed).standard_normal(shape, np.float32))


def main(
    queries: int = 3_368,
    gallery: int = 15_913,  # images without junk and distractors
    junk: int = 3_819,
    distractors: int = 500_000,
    dimensions: int = 2_048,
) -> None:
    random = np.random.default_rng(0)
    people = random.integers(0, PEOPLE + 1, gallery)
    identities = np.concatenate([np.full(junk, -1), people, np.zeros(distractors, np.int64)])
    cameras, asked = random.integers(1, 7, len(identities)), random.integers(1, PEOPLE + 1, queries)
    query = features((queries, dimensions), 1)
    blocks, seconds = 0, 0.0

    def block(start: int, stop: int) -> NDArray[np.float32]:
        nonlocal blocks, seconds
        began = time.perf_counter()
        blocks += 1
        made = Euclidean().matrix(query, features((stop - start, dimensions), 2 + start))
        seconds += time.perf_counter() - began
        return made

    start = time.perf_counter()
    ranking = evaluate_blocks(block, asked, random.integers(1, 7, queries), identities, cameras)
    whole = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{queries:,} queries x {len(identities):,} images of {dimensions:,} dimensions: {whole:.3g} s, of which "
        f"{seconds:.3g} s for features and distances in {blocks} blocks; peak {peak:.2f} GiB; "
        f"mAP by chance {ranking.mean_ap_step:.4f}"
    )


if __name__ == "__main__":
    command(main)()
