"""Ranking a gallery: the Market-1501 protocol, single query.

For each query the gallery's junk is removed before ranking: images of identity -1, and those of the query's identity
in the query's own camera. The other images of its identity are good, everything else is wrong; distractors (identity
0) stay, as wrong answers. Gallery images at equal distance rank in the order of the gallery, as a stable sort has it.

With G good images at the (1-based) ranks r_1 < ... < r_G, precision at the i-th is i / r_i and

    AP_step      = (1/G) sum_i i / r_i
    AP_trapezoid = (1/G) sum_i (i / r_i + (i - 1) / (r_i - 1)) / 2,   the second term being 1 where r_i = 1.

The official evaluation (and the IDE baseline's) is the trapezoid; torchreid, fast-reid and others use the step.

No whole ranking is made. The rank of a good image is the number of images that come before it, which blocks of the
gallery add up to; so a gallery of any size is ranked in the memory of one block.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid.common.errors import InputError
from reid.files.samples import DISTRACTOR, JUNK

Floats = NDArray[np.float32] | NDArray[np.float64]
Integers = NDArray[np.int64]
Block = Callable[[int, int], Floats]  # (start, stop) to the distances (Q, stop - start) of these gallery images

BLOCK = 16_384  # gallery images whose distances are held at a time
CHUNK = 256  # good images that a thread counts for at a time
THREADS = len(os.sched_getaffinity(0))


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
    threads: int = THREADS,
) -> Ranking:
    """Rank the gallery for each query.

    Args:
        distances: (Q, G), smaller is closer.
        query_identities: (Q,), positive.
        query_cameras: (Q,).
        gallery_identities: (G,); -1 junk, 0 distractor.
        gallery_cameras: (G,).
        threads: that count; by default all cores.

    Raises:
        InputError: lengths differ, a distance is not a number, or a query is junk or a distractor.
    """
    if distances.shape != (len(query_identities), len(gallery_identities)):
        raise InputError(
            f"distances {distances.shape} do not fit {len(query_identities)} query identities and "
            f"{len(gallery_identities)} gallery identities"
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
    """The same, with distances that are made block by block: nothing of the gallery's length but labels is held.

    Blocks that hold an image of somebody who is asked for are asked for twice, the others (of distractors) once.

    Args:
        block: (start, stop) to the distances (Q, stop - start) of gallery images start..stop-1; the same values each
            time it is called.
        query_identities: (Q,), positive.
        query_cameras: (Q,).
        gallery_identities: (G,); -1 junk, 0 distractor.
        gallery_cameras: (G,).
        size: gallery images a block.
        threads: that count; by default all cores.

    Raises:
        InputError: as `evaluate`.
    """
    _check(query_identities, query_cameras, gallery_identities, gallery_cameras)
    queries, gallery = len(query_identities), len(gallery_identities)
    query, image = _same_person(query_identities, gallery_identities)
    good = query_cameras[query] != gallery_cameras[image]
    starts = range(0, gallery, size)

    # The distance of each image of the person asked for.
    distance = np.zeros(len(query), np.float64)
    block_of = image // size
    for number in np.unique(block_of).tolist():
        start = number * size
        found = block(start, min(start + size, gallery))
        inside = block_of == number
        distance[inside] = found[query[inside], image[inside] - start]

    # How many images come before each good one: of all but junk, less those of the person in the query's own camera.
    asked, wanted, target = query[good], image[good], distance[good]
    before = np.zeros(len(asked), np.int64)
    bounds = np.searchsorted(asked, np.arange(queries + 1))
    for start in starts:
        stop = min(start + size, gallery)
        found = block(start, stop)
        before += _before(found, gallery_identities[start:stop] == JUNK, start, asked, wanted, target, threads)
    before -= _removed_before(query, image, distance, good)

    return _ranking(asked, before, bounds, gallery)


def _same_person(query_ids: Integers, gallery_ids: Integers) -> tuple[Integers, Integers]:
    """All (query, gallery image) of one person, as two lists of rows, by query, then image."""
    order = np.argsort(gallery_ids, kind="stable")
    ordered = gallery_ids[order]
    first, last = (np.searchsorted(ordered, query_ids, side) for side in ("left", "right"))
    counts = last - first
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(np.arange(len(query_ids)), counts), order[np.repeat(first, counts) + within]


def _before(
    found: Floats,
    junk: NDArray[np.bool_],
    start: int,
    asked: Integers,
    wanted: Integers,
    target: Floats,
    threads: int,
) -> Integers:
    """For each good image how many of a block's come before it, but for junk.

    Args:
        found: (Q, B) distances of the block's images.
        junk: (B,) which of them are junk.
        start: row of the first of them in the gallery.
        asked: (M,) queries, ordered, each as often as it has good images.
        wanted: (M,) rows of the good images in the gallery.
        target: (M,) their distances.
        threads: that count.
    """
    before = np.zeros(len(wanted), np.int64)
    targets = target.astype(found.dtype)
    inside = (wanted >= start) & (wanted < start + len(junk))
    kept = np.flatnonzero(~junk)
    counts = np.bincount(asked, minlength=len(found))
    firsts = np.cumsum(counts) - counts

    def count(queries: Integers) -> None:
        rows = found[queries]
        if np.isnan(rows.min(initial=0)):
            raise InputError(f"{int(np.isnan(found).sum())} of {found.size} distances are not numbers")
        if junk.any():
            rows = rows.take(kept, 1)
        place = np.arange(counts[queries].max())
        used = place < counts[queries, None]
        own = (firsts[queries, None] + place)[used]
        good = np.full((*used.shape, 1), -np.inf, found.dtype)
        good[used, 0] = targets[own]
        closer, as_close = (_count(compare, rows[:, None], good)[used] for compare in (np.less, np.less_equal))
        before[own] = closer
        for number in own[as_close - closer > inside[own]]:  # others are at the same distance
            equal = found[asked[number], kept] == targets[number]
            before[number] += np.count_nonzero(equal & (start + kept < wanted[number]))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(count, _alike(counts)))
    return before


def _alike(counts: Integers) -> list[Integers]:
    """Queries in groups of at most CHUNK good images, those with as many together."""
    order = np.argsort(-counts, kind="stable")
    groups, first = [], 0
    while first < len(order):
        last = first + max(1, CHUNK // max(1, int(counts[order[first]])))
        groups.append(order[first:last])
        first = last
    return groups


def _count(compare: np.ufunc, values: Floats, bounds: Floats) -> Integers:
    """How many of values (C, 1, B) are less, or less or equal, than bounds (C, N, 1): (C, N).

    A bool is a byte of a 64-bit word, of which up to 255 can be added without overflow. np.count_nonzero, line by line,
    takes longer and keeps other threads from running.
    """
    width, lines = values.shape[-1], bounds.shape[:2]
    words = -(-width // 8)
    parts = max(1, -(-words // 255))
    size = -(-words // parts)
    true = np.empty((*lines, parts * size * 8), bool)
    true[..., width:] = False
    compare(values, bounds, out=true[..., :width])
    sums = true.view(np.uint64).reshape(*lines, parts, size).sum(-1)
    return sums.view(np.uint8).sum(-1, dtype=np.int64)


def _removed_before(query: Integers, image: Integers, distance: Floats, good: NDArray[np.bool_]) -> Integers:
    """For each good image how many of the same person in the query's own camera come before it."""
    order = np.lexsort((image, distance, query))
    removed = ~good[order]
    passed = np.cumsum(removed)
    begin = np.searchsorted(query, query[order])  # `query` is sorted
    before_query = np.where(begin > 0, passed[np.maximum(begin - 1, 0)], 0)
    count = np.empty(len(order), np.int64)
    count[order] = passed - before_query
    return count[good]


def _ranking(asked: Integers, before: Integers, bounds: Integers, gallery: int) -> Ranking:
    """What good images with so many others before them are worth."""
    queries = len(bounds) - 1
    order = np.lexsort((before, asked))
    ranks = before[order] + 1
    found = np.arange(len(ranks)) - bounds[asked[order]] + 1
    step = found / ranks
    earlier = np.where(ranks == 1, 1.0, (found - 1) / np.maximum(ranks - 1, 1))

    counts = np.diff(bounds)
    matched = counts > 0
    first_rank = np.zeros(queries, np.int64)
    first_rank[matched] = ranks[bounds[:-1][matched]]
    ap_step, ap_trapezoid = (
        np.bincount(asked[order], weights, queries) / np.maximum(counts, 1) for weights in (step, (step + earlier) / 2)
    )
    hits = np.bincount(first_rank[matched] - 1, minlength=gallery)
    return Ranking(
        cmc=np.cumsum(hits) / queries,
        mean_ap_trapezoid=float(ap_trapezoid.mean()),
        mean_ap_step=float(ap_step.mean()),
        first_rank=first_rank,
        ap_trapezoid=ap_trapezoid,
        ap_step=ap_step,
    )


def _check(query_ids: Integers, query_cameras: Integers, gallery_ids: Integers, gallery_cameras: Integers) -> None:
    if (len(query_cameras), len(gallery_cameras)) != (len(query_ids), len(gallery_ids)) or not len(query_ids):
        raise InputError(
            f"lengths do not fit: {len(query_ids)} query identities, {len(query_cameras)} query cameras, "
            f"{len(gallery_ids)} gallery identities, {len(gallery_cameras)} gallery cameras"
        )
    if len(gallery_ids) == 0:
        raise InputError("the gallery is empty")
    if (query_ids <= DISTRACTOR).any():
        raise InputError("queries must have a positive identity: -1 is junk, 0 a distractor")
