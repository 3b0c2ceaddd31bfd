"""How surely a Re-ID network knows the person in each generated image, among the real images that it was trained on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reid.common.errors import InputError
from reid.distances.euclidean import euclidean

BLOCK = 256  # queries whose distances are held at a time


class Judgement(NamedTuple):
    """Of Q images; rank 0 and distance NaN where the gallery has no image of the person."""

    identity_rank: NDArray[np.int64]  # (Q,) rank of the nearest image of the person, from 1
    nearest_own: NDArray[np.float64]  # (Q,) distance to the nearest image of the person
    nearest_other: NDArray[np.float64]  # (Q,) distance to the nearest image of another person; infinite without any

    @property
    def margin(self) -> NDArray[np.float64]:
        """(Q,) how much farther the nearest image of another person is than that of the own."""
        return self.nearest_other - self.nearest_own


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
        >>> found = judge(query, np.array([7]), gallery, np.array([7, 8, 7]), left_out=np.array([[0]]))
        >>> found.identity_rank, found.nearest_own, found.nearest_other, found.margin
        (array([2]), array([1.5]), array([0.5]), array([-1.]))
    """
    rank = np.zeros(len(query), np.int64)
    own_distance, other_distance = np.full(len(query), np.nan), np.full(len(query), np.inf)
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
        own_distance[part][known] = nearest_own[known]
        other_distance[part] = nearest_other
    return Judgement(rank, own_distance, other_distance)


def found_by_own(features: NDArray[np.float32], people: NDArray[np.int64]) -> tuple[float, float]:
    """The share of N images whose nearest other image shows their person, and by chance, both in 0..1.

    Args:
        features: (N, D), of length 1.
        people: (N,); the only image of a person is not asked.

    Raises:
        InputError: nobody has two images.

    Example:
        >>> found_by_own(np.float32([[0], [2], [3], [4.5]]), np.array([7, 7, 8, 8]))
        (0.5, 0.3333333333333333)
    """
    rank = judge(features, people, features, people, left_out=np.arange(len(people))[:, None]).identity_rank
    _, which, counts = np.unique(people, return_inverse=True, return_counts=True)
    asked = counts[which] > 1
    if not asked.any():
        raise InputError(f"expected two images of a person at least, got one of each of {len(people)} people")
    return float((rank[asked] == 1).mean()), float((counts[which][asked] - 1).mean() / (len(people) - 1))
