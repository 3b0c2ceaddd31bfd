"""Do images, generated ones say, show whom they should? A network that knows real people looks for them in a gallery.

The protocol is that of `reid.evaluation.ranking`, with one thing more: each query leaves some images of the gallery
out, those that it was made from.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reid.distances.euclidean import euclidean
from reid.evaluation.ranking import evaluate

BLOCK = 256  # queries whose distances are held at a time


class Matches(NamedTuple):
    """What the ranking of each of Q queries is worth."""

    first_rank: NDArray[np.int64]  # (Q,) rank of the first image of the person, from 1; 0 where there is none
    average_precision: NDArray[np.float64]  # (Q,) by the official trapezoid rule, in 0..1


def match(
    query: NDArray[np.float32],
    query_identities: NDArray[np.int64],
    query_cameras: NDArray[np.int64],
    gallery: NDArray[np.float32],
    gallery_identities: NDArray[np.int64],
    gallery_cameras: NDArray[np.int64],
    left_out: NDArray[np.int64],
) -> Matches:
    """Rank the gallery for each query by Euclidean distance.

    Args:
        query: (Q, D) features.
        query_identities: (Q,) whom the queries should show.
        query_cameras: (Q,); the person's images in this camera are left out too, as the protocol has it.
        gallery: (G, D) features.
        gallery_identities: (G,); -1 junk, 0 distractor.
        gallery_cameras: (G,).
        left_out: (Q, L) rows of the gallery that a query may not find.
    """
    first_rank, precision = np.zeros(len(query), np.int64), np.zeros(len(query))
    for start in range(0, len(query), BLOCK):
        distances = euclidean(query[start : start + BLOCK], gallery)
        for row, of_one in enumerate(distances, start):
            kept = np.ones(len(gallery), bool)
            kept[left_out[row]] = False
            ranking = evaluate(
                of_one[None, kept],
                query_identities[row : row + 1],
                query_cameras[row : row + 1],
                gallery_identities[kept],
                gallery_cameras[kept],
            )
            first_rank[row], precision[row] = ranking.first_rank[0], ranking.ap_trapezoid[0]
    return Matches(first_rank, precision)
