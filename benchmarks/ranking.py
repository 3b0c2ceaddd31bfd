"""Ranking at Market-1501's size against torchreid's evaluation in Python.

python benchmarks/ranking.py
"""

from __future__ import annotations

import warnings

import numpy as np
from compare import compare

from reid.evaluation.ranking import evaluate

QUERIES, GALLERY, PEOPLE, JUNK = 3368, 19732, 750, 3819


def main() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchreid.reid.metrics.rank import evaluate_rank

    random = np.random.default_rng(0)
    distances = random.random((QUERIES, GALLERY), np.float32)
    gallery_ids = np.concatenate([np.full(JUNK, -1), random.integers(0, PEOPLE + 1, GALLERY - JUNK)])
    query_ids = random.integers(1, PEOPLE + 1, QUERIES)
    query_cameras, gallery_cameras = (random.integers(1, 7, count) for count in (QUERIES, GALLERY))
    some = 500
    few = (distances[:some], query_ids[:some], query_cameras[:some], gallery_ids, gallery_cameras)
    kept = gallery_ids != -1
    clean = np.ascontiguousarray(distances[:some, kept])
    compare(
        f"{some} queries x {GALLERY} images, both average precisions",
        lambda: evaluate(*few),
        lambda: evaluate_rank(
            clean, query_ids[:some], gallery_ids[kept], query_cameras[:some], gallery_cameras[kept], use_cython=False
        ),
        rounds=3,
    )
    everything = np.ascontiguousarray(distances[:, kept])
    labels = (query_ids, query_cameras, gallery_ids[kept], gallery_cameras[kept])
    compare(
        f"{QUERIES} queries x {everything.shape[1]} images, without junk; sorting",
        lambda: evaluate(everything, *labels),
        lambda: np.sort(everything, axis=1),
        rounds=3,
    )


if __name__ == "__main__":
    main()
