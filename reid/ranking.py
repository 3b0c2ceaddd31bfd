"""Ranking a gallery: the Market-1501 protocol, single query.

For each query the gallery's junk is removed before ranking: images of identity -1, and those of the query's identity
in the query's own camera. The other images of its identity are good, everything else is wrong; distractors (identity
0) stay, as wrong answers. Gallery images at equal distance rank in the order of the gallery, as a stable sort has it.

With G good images at the (1-based) ranks r_1 < ... < r_G, precision at the i-th is i / r_i and

    AP_step      = (1/G) sum_i i / r_i
    AP_trapezoid = (1/G) sum_i (i / r_i + (i - 1) / (r_i - 1)) / 2,   the second term being 1 where r_i = 1.

The official evaluation (and the IDE baseline's) is the trapezoid; torchreid, fast-reid and others use the step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid.errors import InputError
from reid.samples import DISTRACTOR, JUNK

Floats = NDArray[np.float32] | NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Ranking:
    """What a ranking is worth.

    A query without any good image counts as never found and as an average precision of 0, as in the official code.

    Args:
        cmc: (G,) share of queries, in 0..1, whose first good image is among the first 1..G of the gallery.
        mean_ap_trapezoid: mean average precision in 0..1, the official rule.
        mean_ap_step: the same by the rule of torchreid and fast-reid.
        first_rank: (Q,) rank of the first good image, from 1; 0 where there is none.
        ap_trapezoid: (Q,) average precision of each query.
        ap_step: (Q,) the same by the other rule.
    """

    cmc: NDArray[np.float64]
    mean_ap_trapezoid: float
    mean_ap_step: float
    first_rank: Integers
    ap_trapezoid: NDArray[np.float64]
    ap_step: NDArray[np.float64]


def evaluate(
    distances: Floats,
    query_identities: Integers,
    query_cameras: Integers,
    gallery_identities: Integers,
    gallery_cameras: Integers,
) -> Ranking:
    """Rank the gallery for each query.

    Args:
        distances: (Q, G), smaller is closer.
        query_identities: (Q,), positive.
        query_cameras: (Q,).
        gallery_identities: (G,); -1 junk, 0 distractor.
        gallery_cameras: (G,).

    Raises:
        InputError: lengths differ, a distance is not a number, or a query is junk or a distractor.
    """
    _check(distances, query_identities, query_cameras, gallery_identities, gallery_cameras)
    queries, gallery = distances.shape
    first_rank = np.zeros(queries, np.int64)
    ap_trapezoid, ap_step = np.zeros(queries), np.zeros(queries)
    kept = np.flatnonzero(gallery_identities != JUNK)
    cameras, images_of = gallery_cameras[kept], _rows_by_value(gallery_identities[kept])
    for query in range(queries):
        same = images_of.get(int(query_identities[query]), kept[:0])
        own_camera = cameras[same] == query_cameras[query]
        good, removed = same[~own_camera], same[own_camera]
        if len(good) == 0:
            continue
        row = distances[query, kept]
        ranks = np.sort(_places(row, good) - _places_among(row, good, removed)) + 1
        found = np.arange(1, len(good) + 1)
        step = found / ranks
        before = np.where(ranks == 1, 1.0, (found - 1) / np.maximum(ranks - 1, 1))
        first_rank[query] = ranks[0]
        ap_step[query] = step.mean()
        ap_trapezoid[query] = ((step + before) / 2).mean()
    hits = np.bincount(first_rank[first_rank > 0] - 1, minlength=gallery)
    return Ranking(
        cmc=np.cumsum(hits) / queries,
        mean_ap_trapezoid=float(ap_trapezoid.mean()),
        mean_ap_step=float(ap_step.mean()),
        first_rank=first_rank,
        ap_trapezoid=ap_trapezoid,
        ap_step=ap_step,
    )


def _places(row: Floats, of: Integers) -> Integers:
    """How many of all images come before each of the images `of`."""
    ordered = np.sort(row)
    before = np.searchsorted(ordered, row[of], "left")
    tied = np.searchsorted(ordered, row[of], "right") - before > 1
    for index in np.flatnonzero(tied):
        before[index] += np.count_nonzero(row[: of[index]] == row[of[index]])
    return before


def _places_among(row: Floats, of: Integers, others: Integers) -> Integers:
    """How many of the images `others` come before each of the images `of`."""
    closer = row[others] < row[of, None]
    tied = (row[others] == row[of, None]) & (others < of[:, None])
    return (closer | tied).sum(1)


def _rows_by_value(values: Integers) -> dict[int, Integers]:
    order = np.argsort(values, kind="stable")
    known, starts = np.unique(values[order], return_index=True)
    return dict(zip(known.tolist(), np.split(order, starts[1:]), strict=True))


def _check(
    distances: Floats, query_ids: Integers, query_cameras: Integers, gallery_ids: Integers, gallery_cameras: Integers
) -> None:
    expected = ((len(query_ids), len(gallery_ids)), len(query_ids), len(gallery_ids))
    if (distances.shape, len(query_cameras), len(gallery_cameras)) != expected or 0 in distances.shape:
        raise InputError(
            f"distances {distances.shape} do not fit {len(query_ids)} query identities, {len(query_cameras)} query "
            f"cameras, {len(gallery_ids)} gallery identities, {len(gallery_cameras)} gallery cameras"
        )
    if np.isnan(distances).any():
        raise InputError(f"{int(np.isnan(distances).sum())} of {distances.size} distances are not numbers")
    if (query_ids <= DISTRACTOR).any():
        raise InputError("queries must have a positive identity: -1 is junk, 0 a distractor")
