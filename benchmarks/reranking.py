"""k-reciprocal re-ranking at Market-1501's size, and against torchreid's at a quarter of it in each direction.

python benchmarks/reranking.py

Each line is a fresh process; seconds are the processor's, which other programs do not lengthen much; the peak is that
of resident memory above what there was before re-ranking, features excluded.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
import warnings

import click
import numpy as np
from numpy.typing import NDArray

DIMENSIONS, LATENT, IMAGES_A_PERSON = 2048, 32, 20
SIZES = {"a quarter": (842, 3978), "Market-1501": (3368, 15913), "Market-1501 with junk": (3368, 19732)}


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


def ours(query: NDArray[np.float32], gallery: NDArray[np.float32]) -> NDArray[np.float32]:
    from reid.distances.k_reciprocal import k_reciprocal

    return k_reciprocal(query, gallery)


def torchreids(query: NDArray[np.float32], gallery: NDArray[np.float32]) -> NDArray[np.float32]:
    from torchreid.reid.utils.rerank import re_ranking

    from reid.distances import Euclidean

    matrix = Euclidean().matrix
    return re_ranking(matrix(query, gallery), matrix(query, query), matrix(gallery, gallery))


VERSIONS = {"here": ours, "torchreid": torchreids}


def resident() -> float:
    """MiB now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


@click.command()
@click.option("--version", type=click.Choice(list(VERSIONS)))
@click.option("--size", type=click.Choice(list(SIZES)))
def main(version: str | None, size: str | None) -> None:
    """All lines, or the one given."""
    if version is None or size is None:
        for one, other in (("a quarter", "torchreid"), *((name, "here") for name in SIZES)):
            subprocess.run([sys.executable, __file__, "--version", other, "--size", one], check=True)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        VERSIONS[version](*people(40, 200))  # imports
    features = people(*SIZES[size])
    before, start = resident(), time.process_time()
    # The peak of this process so far is above `before` by what making the features took: reset it.
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    result = VERSIONS[version](*features)
    seconds = time.process_time() - start
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    print(f"{version:10} {size:22} {result.shape!s:14} {seconds:7.1f} s  +{peak - before:6.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
