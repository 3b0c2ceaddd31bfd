"""Identity metrics of generated images: does a Re-ID network retrieve the right person with a generated image as query?

The network was trained on real images, and the gallery holds real images. The protocol is Market-1501's
(`reid.evaluation.ranking`) with one addition: the gallery images that a query was generated from are left out of its
ranking. Otherwise a generator that copies its source would score best.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reid.distances.euclidean import euclidean
from reid.evaluation.ranking import evaluate

BLOCK = 256  # queries whose distances are held at a time


class Matches(NamedTuple):
    """Metrics of each of Q queries."""

    first_rank: NDArray[np.int64]  # (Q,) rank of the first image of the query's identity, from 1; 0 where there is none
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
    """Rank the gallery for each query by Euclidean distance and measure where the query's identity ranks.

    Args:
        query: (Q, D) features.
        query_identities: (Q,) whom the queries should show.
        query_cameras: (Q,); gallery images of the same identity and camera are left out too, as the protocol has it.
        gallery: (G, D) features.
        gallery_identities: (G,); -1 junk, 0 distractor.
        gallery_cameras: (G,).
        left_out: (Q, L) gallery indices that are left out of each query's ranking.

    Example:
        The query was generated from gallery image 0. Without that image, its identity is second to another person.

        >>> query, gallery = np.float32([[0.1]]), np.float32([[0], [1], [2]])
        >>> identities, cameras = np.array([7, 8, 7]), np.array([2, 2, 3])
        >>> match(query, np.array([7]), np.array([1]), gallery, identities, cameras, left_out=np.array([[0]]))
        Matches(first_rank=array([2]), average_precision=array([0.25]))
    """
    first_rank, precision = np.zeros(len(query), np.int64), np.zeros(len(query))
    for start in range(0, len(query), BLOCK):
        distances = euclidean(query[start : start + BLOCK], gallery)
        for index, of_query in enumerate(distances, start):
            kept = np.ones(len(gallery), bool)
            kept[left_out[index]] = False
            ranking = evaluate(
                of_query[None, kept],
                query_identities[index : index + 1],
                query_cameras[index : index + 1],
                gallery_identities[kept],
                gallery_cameras[kept],
                threads=1,
            )
            first_rank[index], precision[index] = ranking.first_rank[0], ranking.ap_trapezoid[0]
    return Matches(first_rank, precision)
