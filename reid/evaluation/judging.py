"""How surely a Re-ID network knows the person in each generated image, among the real images that it was trained on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reid.distances.euclidean import euclidean

BLOCK = 256  # queries whose distances are held at a time


class Judgement(NamedTuple):
    """Of Q images; 0 and NaN where the gallery has no image of the person."""

    identity_rank: NDArray[np.int64]  # (Q,) rank of the nearest image of the person, from 1
    margin: NDArray[np.float64]  # (Q,) how much farther the nearest image of another person is than that of the own


def judge(
    query: NDArray[np.float32],
    query_identities: NDArray[np.int64],
    gallery: NDArray[np.float32],
    gallery_identities: NDArray[np.int64],
    left_out: NDArray[np.int64],
) -> Judgement:
    """Compare each image with the real ones by Euclidean distance, whatever their cameras.

    Args:
        query: (Q, D) features, of length 1.
        query_identities: (Q,) whom the images should show.
        gallery: (G, D) features of the real images.
        gallery_identities: (G,).
        left_out: (Q, L) gallery indices that an image is not compared with: those that it was made from.

    Example:
        The image was made from gallery image 0. Of the others, one of another person is nearest.

        >>> query, gallery = np.float32([[0.5]]), np.float32([[0], [1], [2]])
        >>> judge(query, np.array([7]), gallery, np.array([7, 8, 7]), left_out=np.array([[0]]))
        Judgement(identity_rank=array([2]), margin=array([-1.]))
    """
    rank, margin = np.zeros(len(query), np.int64), np.full(len(query), np.nan)
    for start in range(0, len(query), BLOCK):
        part = slice(start, start + BLOCK)
        distances = euclidean(query[part], gallery).astype(np.float64)
        np.put_along_axis(distances, left_out[part], np.inf, 1)
        own = query_identities[part, None] == gallery_identities
        nearest_own = np.where(own, distances, np.inf).min(1)
        nearest_other = np.where(own, np.inf, distances).min(1)
        known = np.isfinite(nearest_own)
        nearer = (~own & (distances < nearest_own[:, None])).sum(1)
        rank[part] = np.where(known, 1 + nearer, 0)
        margin[part][known] = (nearest_other - nearest_own)[known]
    return Judgement(rank, margin)
