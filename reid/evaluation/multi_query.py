"""Multi-query evaluation: a query is all images of its person in its camera, pooled into one feature.

Market-1501 has a folder for it, `gt_bbox` (`Dataset.pool` of its reader): hand-drawn boxes of all images of the test
people, those of the queries too. The images whose names begin with the same 7 characters as the query's,
identity and camera, are averaged, or their maximum is taken, and the result scaled to length 1.

Where a data set has no such folder, give queries and gallery together as the pool. This choice is ours: a gallery image
of the query's identity and camera is junk for that query, so that none of what is pooled is ranked. Such numbers are
not to be compared with those from `gt_bbox`, which hold more images.
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
    """Features (Q, D), of length 1, that stand in for the queries'; the gallery is then ranked as it is for one image.

    Args:
        query: (Q, D) features, of which those are used that have nobody in the pool.
        query_identities: (Q,).
        query_cameras: (Q,).
        pooled: (P, D) features of the pool, scaled like the queries'.
        pooled_identities: (P,).
        pooled_cameras: (P,).
        how: mean or maximum of each coordinate.

    Raises:
        InputError: lengths differ, or `how` is neither.
    """
    lengths = [(len(query), query_identities, query_cameras), (len(pooled), pooled_identities, pooled_cameras)]
    if any({count} != {len(labels) for labels in of} for count, *of in lengths):
        raise InputError("multi-query: features, identities and cameras must have one length each for queries and pool")
    whose = np.stack([query_identities, query_cameras], 1)
    places, of_query = np.unique(whose, axis=0, return_inverse=True)
    index = {tuple(place): number for number, place in enumerate(places.tolist())}
    pairs = zip(pooled_identities.tolist(), pooled_cameras.tolist(), strict=True)
    of_pooled = np.array([index.get(pair, -1) for pair in pairs], np.int64)
    used = np.flatnonzero(of_pooled >= 0)
    found, groups = np.unique(of_pooled[used], return_inverse=True)
    stand_ins = pool(pooled[used], groups, how)
    row = np.full(len(places), -1)
    row[found] = np.arange(len(found))
    row = row[of_query.ravel()]
    result = normalise(query)
    result[row >= 0] = stand_ins[row[row >= 0]]
    return result


def pool(features: Floats, groups: Integers, how: Literal["average", "max"] = "average") -> Floats:
    """One feature a group (K, D), of length 1, from features (N, D) and groups (N,), each of 0..K-1 at least once.

    Raises:
        InputError: `how` is neither `average` nor `max`.
    """
    if how not in ("average", "max"):
        raise InputError(f"features are pooled by `average` or `max`, not by {how!r}")
    if len(features) == 0:
        return features
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    # The sum points where the mean does.
    return normalise((np.add if how == "average" else np.maximum).reduceat(features[order], starts, axis=0))
