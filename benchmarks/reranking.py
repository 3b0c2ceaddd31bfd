"""k-reciprocal re-ranking at Market-1501's size, and against torchreid's at a quarter of it in each direction.

python -m benchmarks.reranking

Each line is a process of its own; seconds are the processor's, which other programs do not lengthen much; the peak is
that of resident memory above what there was before re-ranking, features excluded.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
import warnings
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from numpy.typing import NDArray

from benchmarks.compare import command
from reid.distances import Euclidean
from reid.distances.k_reciprocal import k_reciprocal

DIMENSIONS, LATENT, IMAGES_A_PERSON = 2048, 32, 20


def people(queries: int, gallery: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Features of length 1 whose people overlap: points around a centre a person in 32 dimensions, mapped to 2048."""
    random = np.random.default_rng(0)
    total = queries + gallery
    centres = random.standard_normal((total // IMAGES_A_PERSON, LATENT), np.float32)
    latent = random.standard_normal((total, LATENT), np.float32)
    latent += centres[random.integers(0, len(centres), total)]
    features = latent @ random.standard_normal((LATENT, DIMENSIONS), np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    return features[:queries], features[queries:]


def torchreids(query: NDArray[np.float32], gallery: NDArray[np.float32]) -> NDArray[np.float32]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchreid.reid.utils.rerank import re_ranking

    matrix = Euclidean().matrix
    return re_ranking(matrix(query, gallery), matrix(query, query), matrix(gallery, gallery))


VERSIONS = {"here": k_reciprocal, "torchreid": torchreids}


def resident() -> float:
    """MiB now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def measure(version: str, queries: int, gallery: int) -> None:
    """Print the seconds and the memory of one version in this process."""
    VERSIONS[version](*people(40, 200))  # so that libraries are loaded
    features = people(queries, gallery)
    before, start = resident(), time.process_time()
    # The peak of this process so far is above `before` by what making the features took: reset it.
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    result = VERSIONS[version](*features)
    seconds = time.process_time() - start
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    print(f"{version:10} {result.shape!s:14} {seconds:7.3g} s  +{peak - before:6.0f} MiB", flush=True)


def main(queries: int = 3_368, gallery: int = 15_913, junk: int = 3_819) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["reid.distances"])
    quarter = (queries // 4, gallery // 4)
    lines = (("torchreid", *quarter), ("here", *quarter), ("here", queries, gallery), ("here", queries, gallery + junk))
    for line in lines:
        with ProcessPoolExecutor(1, context) as pool:
            pool.submit(measure, *line).result()


if __name__ == "__main__":
    command(main)()
