"""Ranking a gallery of Market-1501's size and 500,000 distractors: time, and the memory of the whole process.

python benchmarks/large_gallery.py

The features are random, and made anew for each block, as features in a file would be read.
"""

from __future__ import annotations

import resource
import time

import numpy as np
from numpy.typing import NDArray

from reid.distances import Euclidean
from reid.evaluation.features import normalise
from reid.evaluation.ranking import evaluate_blocks

QUERIES, GALLERY, DISTRACTORS, PEOPLE, JUNK, SIZE = 3_368, 19_732, 500_000, 750, 3_819, 2_048


def features(count: int, seed: int) -> NDArray[np.float32]:
    return normalise(np.random.default_rng(seed).standard_normal((count, SIZE), np.float32))


def main() -> None:
    random = np.random.default_rng(0)
    people = random.integers(0, PEOPLE + 1, GALLERY - JUNK)
    identities = np.concatenate([np.full(JUNK, -1), people, np.zeros(DISTRACTORS, np.int64)])
    cameras, asked = random.integers(1, 7, len(identities)), random.integers(1, PEOPLE + 1, QUERIES)
    query = features(QUERIES, 1)
    blocks, seconds = 0, 0.0

    def block(start: int, stop: int) -> NDArray[np.float32]:
        nonlocal blocks, seconds
        began = time.perf_counter()
        blocks += 1
        made = Euclidean().matrix(query, features(stop - start, 2 + start))
        seconds += time.perf_counter() - began
        return made

    start = time.perf_counter()
    ranking = evaluate_blocks(block, asked, random.integers(1, 7, QUERIES), identities, cameras)
    whole = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{QUERIES:,} queries x {len(identities):,} images of {SIZE:,} dimensions: {whole:.0f} s, of which "
        f"{seconds:.0f} s for features and distances in {blocks} blocks; peak {peak:.2f} GiB; "
        f"mAP by chance {ranking.mean_ap_step:.4f}"
    )


if __name__ == "__main__":
    main()
