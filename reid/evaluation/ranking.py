"""Re-ID metrics of a ranked gallery: CMC and mean average precision by the Market-1501 protocol, single query.

The gallery is ranked by distance to each query, after that query's junk is removed: images of identity -1, and those of
the query's identity in the query's own camera, which are near-duplicates of it. The other images of its identity are
good (its correct matches), all else is wrong; distractors (identity 0) stay in as wrong matches. Gallery images at
equal distance rank in gallery order, as a stable sort has them.

With G good images at the (1-based) ranks r_1 < ... < r_G, the precision at the i-th is i / r_i and

    AP_step      = (1/G) sum_i i / r_i
    AP_trapezoid = (1/G) sum_i (i / r_i + (i - 1) / (r_i - 1)) / 2,   the second term being 1 where r_i = 1.

The official evaluation, and that of the IDE baseline behind the paper's tables, use the trapezoid; torchreid, fast-reid
and others use the step, which is never the lower of the two. So an mAP can only be compared with others of its rule.

No gallery is sorted. The rank of a good image is one more than the number of images that rank before it, and that
number is a sum over blocks of the gallery; so a gallery of any size is ranked in the memory of one block,
but for a query with many good images, which takes a byte for each of them and each image of the block.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid.common import arrays
from reid.common.errors import InputError
from reid.evaluation.counting import Floats, Integers, count_before
from reid.files.samples import DISTRACTOR, JUNK

Block = Callable[[int, int], Floats]  # (start, stop) to the distances (Q, stop - start) of these gallery images

BLOCK = 16_384  # gallery images whose distances are held at a time
THREADS = len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Ranking:
    """Metrics of Q queries against a gallery of G images.

    A query without any good image has no hit in the CMC and an average precision of 0, as in the official code;
    torchreid leaves such queries out.

    Args:
        cmc: (G,) cumulative matching characteristic: share of queries, in 0..1, with a good image among the first 1..G;
            cmc[0] is Rank-1.
        mean_ap_trapezoid: mean average precision in 0..1, the official rule.
        mean_ap_step: mean average precision in 0..1, the rule of torchreid and fast-reid.
        first_rank: (Q,) rank of each query's first good image, from 1; 0 where there is none.
        ap_trapezoid: (Q,) average precision of each query, the official rule.
        ap_step: (Q,) average precision of each query, the rule of torchreid and fast-reid.
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
    threads: int = THREADS,
) -> Ranking:
    """Rank the gallery by its distances to each query.

    Args:
        distances: (Q, G), smaller is closer.
        query_identities: (Q,), positive.
        query_cameras: (Q,).
        gallery_identities: (G,); -1 junk, 0 distractor.
        gallery_cameras: (G,).
        threads: number of threads; by default one for each core.

    Raises:
        InputError: lengths differ, a distance or a label is not a number, or a query is junk or a distractor.

    Example:
        The first query's only good image is at rank 1, the second query's two are at ranks 2 and 3.

        >>> distances = np.array([[0.1, 0.4, 0.2], [0.1, 0.3, 0.5]])
        >>> ranking = evaluate(distances, np.array([7, 8]), np.array([1, 1]), np.array([7, 8, 8]), np.array([2, 2, 3]))
        >>> ranking.first_rank.tolist(), ranking.cmc.tolist()
        ([1, 2], [0.5, 1.0, 1.0])
        >>> round(ranking.mean_ap_trapezoid, 3), round(ranking.mean_ap_step, 3)
        (0.708, 0.792)
    """
    distances = arrays.matrix(distances, "ranking: distances")
    if distances.shape != (len(query_identities), len(gallery_identities)):
        raise InputError(
            f"ranking: expected distances (Q, G) of {len(query_identities)} query identities and "
            f"{len(gallery_identities)} gallery identities, got an array of shape {distances.shape}"
        )
    return evaluate_blocks(
        lambda start, stop: distances[:, start:stop],
        query_identities,
        query_cameras,
        gallery_identities,
        gallery_cameras,
        threads=threads,
    )


def evaluate_blocks(
    block: Block,
    query_identities: Integers,
    query_cameras: Integers,
    gallery_identities: Integers,
    gallery_cameras: Integers,
    size: int = BLOCK,
    threads: int = THREADS,
) -> Ranking:
    """Rank a gallery whose distance matrix does not fit into memory: its distances are made block by block.

    Blocks that hold an image of a query's identity are made twice, first for the distances of the good images, then for
    the number of images before them; the others (of distractors, say) once.

    Args:
        block: (start, stop) to the distances (Q, stop - start) of gallery images start..stop-1. A matrix product rounds
            otherwise when the number of threads changes in between: of a query's own images the first values count.
        query_identities: (Q,), positive.
        query_cameras: (Q,).
        gallery_identities: (G,); -1 junk, 0 distractor.
        gallery_cameras: (G,).
        size: gallery images a block.
        threads: number of threads; by default one for each core.

    Raises:
        InputError: as `evaluate`.

    Example:
        >>> from reid.distances.euclidean import euclidean
        >>> query, gallery = np.float32([[0], [1]]), np.float32([[0], [3], [1]])
        >>> def block(start, stop):
        ...     return euclidean(query, gallery[start:stop])
        >>> labels = np.array([7, 8]), np.array([1, 1]), np.array([7, 8, 8]), np.array([2, 2, 1])
        >>> ranking = evaluate_blocks(block, *labels, size=2)
        >>> ranking.first_rank.tolist(), ranking.mean_ap_trapezoid, ranking.mean_ap_step
        ([1, 2], 0.625, 0.75)
    """
    query_identities, gallery_identities = (
        arrays.labels(values, f"ranking: identities of {name}")
        for name, values in (("queries", query_identities), ("the gallery", gallery_identities))
    )
    query_cameras, gallery_cameras = (
        arrays.labels(values, f"ranking: cameras of {name}")
        for name, values in (("queries", query_cameras), ("the gallery", gallery_cameras))
    )
    _check(query_identities, query_cameras, gallery_identities, gallery_cameras)
    queries, gallery = len(query_identities), len(gallery_identities)
    pair_query, pair_image = _same_person(query_identities, gallery_identities)
    is_good = query_cameras[pair_query] != gallery_cameras[pair_image]
    starts = range(0, gallery, size)

    # The distances of all pairs of a query and a gallery image of its identity.
    pair_distance = np.zeros(len(pair_query), np.float64)
    block_of = pair_image // size
    for number in np.unique(block_of).tolist():
        start = number * size
        distances = block(start, min(start + size, gallery))
        inside = block_of == number
        pair_distance[inside] = distances[pair_query[inside], pair_image[inside] - start]

    # How many images rank before each good one: all that are closer, but for junk of identity -1, less those of the
    # query's identity in its own camera.
    good_query, good_image, good_distance = pair_query[is_good], pair_image[is_good], pair_distance[is_good]
    before = np.zeros(len(good_query), np.int64)
    bounds = np.searchsorted(good_query, np.arange(queries + 1))
    for number, start in enumerate(starts):
        stop = min(start + size, gallery)
        inside = block_of == number
        own = pair_query[inside], pair_image[inside] - start
        distances = block(start, stop)
        if not np.array_equal(distances[own], pair_distance[inside]):
            distances = distances.copy()
            distances[own] = pair_distance[inside]
        junk = gallery_identities[start:stop] == JUNK
        before += count_before(distances, junk, start, good_query, good_image, good_distance, threads)
    before -= _own_camera_before(pair_query, pair_image, pair_distance, is_good)

    return _metrics(good_query, before, bounds, gallery)


def _same_person(query_ids: Integers, gallery_ids: Integers) -> tuple[Integers, Integers]:
    """Indices (M,), (M,) of all pairs of a query and a gallery image of its identity, by query, then image."""
    order = np.argsort(gallery_ids, kind="stable")
    ordered = gallery_ids[order]
    first, last = (np.searchsorted(ordered, query_ids, side) for side in ("left", "right"))
    counts = last - first
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(np.arange(len(query_ids)), counts), order[np.repeat(first, counts) + within]


def _own_camera_before(query: Integers, image: Integers, distance: Floats, is_good: NDArray[np.bool_]) -> Integers:
    """How many images of the same person in the query's own camera rank before each good image.

    Args:
        query: (P,) the query of each pair of a query and a gallery image of its identity, sorted.
        image: (P,) the pair's gallery image.
        distance: (P,) between the two.
        is_good: (P,) whether the image is of another camera.
    """
    order = np.lexsort((image, distance, query))
    removed = np.cumsum(~is_good[order])
    begin = np.searchsorted(query, query[order])
    before_query = np.where(begin > 0, removed[np.maximum(begin - 1, 0)], 0)
    count = np.empty(len(order), np.int64)
    count[order] = removed - before_query
    return count[is_good]


def _metrics(good_query: Integers, before: Integers, bounds: Integers, gallery: int) -> Ranking:
    """CMC and average precisions.

    Args:
        good_query: (M,) the query of each good image, sorted.
        before: (M,) how many images rank before each good image.
        bounds: (Q + 1,) where the good images of each query begin, and where the last one's end.
        gallery: number of gallery images.
    """
    queries = len(bounds) - 1
    order = np.lexsort((before, good_query))
    ranks = before[order] + 1
    hits = np.arange(len(ranks)) - bounds[good_query[order]] + 1  # i, where ranks has r_i
    step = hits / ranks
    earlier = np.where(ranks == 1, 1.0, (hits - 1) / np.maximum(ranks - 1, 1))

    counts = np.diff(bounds)
    matched = counts > 0
    first_rank = np.zeros(queries, np.int64)
    first_rank[matched] = ranks[bounds[:-1][matched]]
    ap_step, ap_trapezoid = (
        np.bincount(good_query[order], weights, queries) / np.maximum(counts, 1)
        for weights in (step, (step + earlier) / 2)
    )
    first_hits = np.bincount(first_rank[matched] - 1, minlength=gallery)
    return Ranking(
        cmc=np.cumsum(first_hits) / queries,
        mean_ap_trapezoid=float(ap_trapezoid.mean()),
        mean_ap_step=float(ap_step.mean()),
        first_rank=first_rank,
        ap_trapezoid=ap_trapezoid,
        ap_step=ap_step,
    )


def _check(query_ids: Integers, query_cameras: Integers, gallery_ids: Integers, gallery_cameras: Integers) -> None:
    if (len(query_cameras), len(gallery_cameras)) != (len(query_ids), len(gallery_ids)):
        raise InputError(
            "ranking: expected as many cameras as identities; got "
            f"{len(query_ids)} identities and {len(query_cameras)} cameras of queries, "
            f"{len(gallery_ids)} identities and {len(gallery_cameras)} cameras of gallery images"
        )
    for name, identities in (("queries", query_ids), ("gallery", gallery_ids)):
        if len(identities) == 0:
            raise InputError(f"ranking: expected at least one query and one gallery image, got no {name}")
    if (query_ids <= DISTRACTOR).any():
        count = int((query_ids <= DISTRACTOR).sum())
        raise InputError(
            f"ranking: expected queries with a positive identity, got {count} of {len(query_ids)} that are junk (-1) "
            "or distractors (0); leave them out of the queries"
        )
