"""Ranking at Market-1501's size against torchreid's evaluation in Python.

python -m benchmarks.ranking
"""

from __future__ import annotations

import warnings

import numpy as np

from benchmarks.compare import command, compare
from reid.evaluation.ranking import evaluate

PEOPLE = 750


def main(
    queries: int = 3_368,
    gallery: int = 15_913,  # images without junk
    junk: int = 3_819,
    some: int = 500,  # queries that torchreid ranks
    rounds: int = 3,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchreid.reid.metrics.rank import evaluate_rank

    random = np.random.default_rng(0)
    distances = random.random((queries, gallery + junk), np.float32)
    gallery_ids = np.concatenate([np.full(junk, -1), random.integers(0, PEOPLE + 1, gallery)])
    query_ids = random.integers(1, PEOPLE + 1, queries)
    query_cameras, gallery_cameras = (random.integers(1, 7, count) for count in (queries, gallery + junk))
    few = (distances[:some], query_ids[:some], query_cameras[:some], gallery_ids, gallery_cameras)
    kept = gallery_ids != -1
    clean = np.ascontiguousarray(distances[:some, kept])
    compare(
        f"{some} queries x {gallery + junk} images, both average precisions",
        lambda: evaluate(*few),
        lambda: evaluate_rank(
            clean, query_ids[:some], gallery_ids[kept], query_cameras[:some], gallery_cameras[kept], use_cython=False
        ),
        rounds,
    )
    everything = np.ascontiguousarray(distances[:, kept])
    labels = (query_ids, query_cameras, gallery_ids[kept], gallery_cameras[kept])
    compare(
        f"{queries} queries x {gallery} images, without junk; sorting",
        lambda: evaluate(everything, *labels),
        lambda: np.sort(everything, axis=1),
        rounds,
    )


if __name__ == "__main__":
    command(main)()
