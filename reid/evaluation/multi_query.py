"""Multi-query evaluation: all images of a query's person in the query's camera are pooled into one feature.

Market-1501 has images for this in the folder `gt_bbox` (`Dataset.pool` of its reader): hand-drawn boxes around the test
people, the queries among them. The images whose names begin with the same 7 characters as the query's, that is with its
identity and camera, are averaged, or their maximum is taken, and the result is scaled to length 1.

For a data set without such a folder, pass queries and gallery together as the pool. That is our choice, not part of a
published protocol. It does not leak: a gallery image of the query's identity and camera is junk for that query, so no
pooled image is ranked. But the numbers cannot be compared with those from `gt_bbox`, which has more images.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reid.common.errors import InputError
from reid.evaluation.features import normalise

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


def multi_query(
    query: Floats,
    query_identities: Integers,
    query_cameras: Integers,
    pooled: Floats,
    pooled_identities: Integers,
    pooled_cameras: Integers,
    how: Literal["average", "max"] = "average",
) -> Floats:
    """Pooled features (Q, D), of length 1, to rank the gallery with in place of the queries' own.

    Args:
        query: (Q, D) features. A query keeps its own where the pool has no image of its identity and camera.
        query_identities: (Q,).
        query_cameras: (Q,).
        pooled: (P, D) features of the pool, on the same scale as the queries'.
        pooled_identities: (P,).
        pooled_cameras: (P,).
        how: mean or maximum of each coordinate.

    Raises:
        InputError: the numbers of features, identities and cameras differ, or `how` is neither.

    Example:
        Two images of person 7 in camera 1 are averaged; the third is of another camera.

        >>> query, pooled = np.float32([[1, 0]]), np.float32([[4, 1], [2, 7], [0, 9]])
        >>> multi_query(query, np.array([7]), np.array([1]), pooled, np.array([7, 7, 7]), np.array([1, 1, 2])).round(1)
        array([[0.6, 0.8]], dtype=float32)
    """
    counts = [[len(array) for array in (query, query_identities, query_cameras)]]
    counts += [[len(array) for array in (pooled, pooled_identities, pooled_cameras)]]
    if any(len(set(of_part)) > 1 for of_part in counts):
        raise InputError(
            "multi-query: expected as many identities and cameras as features; got features, identities, cameras "
            f"{counts[0]} of the queries and {counts[1]} of the pool"
        )
    # A group is an identity in a camera; those that have a query are numbered.
    groups, group_of_query = np.unique(np.stack([query_identities, query_cameras], 1), axis=0, return_inverse=True)
    number = {tuple(group): n for n, group in enumerate(groups.tolist())}
    pairs = zip(pooled_identities.tolist(), pooled_cameras.tolist(), strict=True)
    group_of_pooled = np.array([number.get(pair, -1) for pair in pairs], np.int64)
    used = np.flatnonzero(group_of_pooled >= 0)
    filled, compact = np.unique(group_of_pooled[used], return_inverse=True)
    features = pool(pooled[used], compact, how)
    feature_of_group = np.full(len(groups), -1)  # -1 where the pool has no image of the group
    feature_of_group[filled] = np.arange(len(filled))
    index = feature_of_group[group_of_query.ravel()]
    result = normalise(query)
    result[index >= 0] = features[index[index >= 0]]
    return result


def pool(features: Floats, groups: Integers, how: Literal["average", "max"] = "average") -> Floats:
    """One feature for each group (K, D), scaled to length 1.

    Args:
        features: (N, D).
        groups: (N,) group of each feature, 0..K-1, each at least once.
        how: mean or maximum of each coordinate.

    Raises:
        InputError: `how` is neither `average` nor `max`.

    Example:
        >>> pool(np.float32([[4, 1], [2, 7], [0, 9]]), np.array([0, 0, 1])).round(1)
        array([[0.6, 0.8],
               [0. , 1. ]], dtype=float32)
    """
    if how not in ("average", "max"):
        raise InputError(f"features are pooled by `average` or `max`, got {how!r}")
    if len(features) == 0:
        return features
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    # The sum and the mean have the same direction, and the result is scaled to length 1.
    return normalise((np.add if how == "average" else np.maximum).reduceat(features[order], starts, axis=0))
