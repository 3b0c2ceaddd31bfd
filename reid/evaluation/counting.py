"""How many images of a block of the gallery rank before given ones: counted, not sorted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from reid.common.errors import InputError

Floats = NDArray[np.float32] | NDArray[np.float64]
Integers = NDArray[np.int64]

CHUNK = 256  # good images that a thread works on at a time; all those of a query that has more


def count_before(
    distances: Floats,
    junk: NDArray[np.bool_],
    start: int,
    good_query: Integers,
    good_image: Integers,
    good_distance: Floats,
    threads: int,
) -> Integers:
    """How many images of a block rank before each good image (M,), junk not counted.

    Args:
        distances: (Q, B) of the block's images.
        junk: (B,) which of them are junk.
        start: index of the first of them in the gallery.
        good_query: (M,) the query of each good image, sorted.
        good_image: (M,) index of each good image in the gallery.
        good_distance: (M,) its distance to the query.
        threads: number of threads.

    Raises:
        InputError: a distance is not a number.
    """
    before = np.zeros(len(good_image), np.int64)
    bound = good_distance.astype(distances.dtype)
    inside = (good_image >= start) & (good_image < start + len(junk))
    kept = np.flatnonzero(~junk)
    counts = np.bincount(good_query, minlength=len(distances))
    firsts = np.cumsum(counts) - counts

    def count(queries: Integers) -> None:
        of_queries = distances[queries]
        if np.isnan(of_queries.min(initial=0)):
            raise InputError(
                f"ranking: {int(np.isnan(distances).sum())} of {distances.size} distances are not numbers (NaN): look "
                "for NaN among the features"
            )
        if junk.any():
            of_queries = of_queries.take(kept, 1)
        # The good images of these queries as a table, a line a query; shorter lines are filled with -inf.
        place = np.arange(counts[queries].max())
        used = place < counts[queries, None]
        own = (firsts[queries, None] + place)[used]
        bounds = np.full((*used.shape, 1), -np.inf, distances.dtype)
        bounds[used, 0] = bound[own]
        closer, as_close = (_count(compare, of_queries[:, None], bounds)[used] for compare in (np.less, np.less_equal))
        before[own] = closer
        for index in own[as_close - closer > inside[own]]:  # others are at the same distance
            equal = distances[good_query[index], kept] == bound[index]
            before[index] += np.count_nonzero(equal & (start + kept < good_image[index]))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(count, _chunks(counts)))
    return before


def _chunks(counts: Integers) -> list[Integers]:
    """Queries in chunks of at most CHUNK good images; queries with as many good images come together."""
    order = np.argsort(-counts, kind="stable")
    chunks, first = [], 0
    while first < len(order):
        last = first + max(1, CHUNK // max(1, int(counts[order[first]])))
        chunks.append(order[first:last])
        first = last
    return chunks


def _count(compare: np.ufunc, values: Floats, bounds: Floats) -> Integers:
    """How many of values (C, 1, B) are less, or less or equal, than bounds (C, N, 1): (C, N).

    Each comparison gives a bool, which is a byte. Eight of them are read as one 64-bit word, and up to 255 words can be
    added before a byte overflows. np.count_nonzero, line by line, takes longer and keeps other threads from running.
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
