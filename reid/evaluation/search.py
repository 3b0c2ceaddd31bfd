"""Exact nearest neighbours by Euclidean distance; ties in gallery order, and on the CPU no copy of the gallery."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reid.common import arrays
from reid.common.errors import InputError

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

MARGIN = 16  # candidates that faiss is asked for beyond the neighbours wanted
BLOCK_BYTES = 64 << 20  # of candidates' features held at a time
GPU_LIMIT = 2048  # candidates that faiss can find on a GPU
ROUNDING = 1e-5  # error of faiss's squared distances |q|^2 + |g|^2 - 2 q g, as a share of |q|^2 + |g|^2


def nearest(query: Floats, gallery: Floats, count: int) -> Indices:
    """Indices (Q, count) of the gallery features (G, D) nearest to each query feature (Q, D), nearest first.

    Neighbours at equal distance come in gallery order. There are G of them where the gallery has fewer than `count`.
    For cosine similarity, normalise the features: the order is then the same.

    faiss, on the GPU where it sees one, finds candidates. It rounds distances and breaks ties arbitrarily, so the
    candidates are sorted by distances that are computed from differences of coordinates; and where an image that is no
    candidate could be as near as the last neighbour, the query is compared with the whole gallery.

    Raises:
        InputError: the gallery is empty, features are not finite, or there are no neighbours to find (`count` below 1).

    Example:
        >>> nearest(np.float32([[0], [5]]), np.float32([[4], [1], [6], [0]]), count=2)
        array([[3, 1],
               [0, 2]])
    """
    query, gallery = arrays.pair(query, gallery)
    if len(gallery) == 0:
        raise InputError("nearest neighbours: expected a gallery of at least one feature, got an empty one")
    if count < 1:
        raise InputError(f"nearest neighbours: expected a count of at least 1, got {count}")
    count = min(count, len(gallery))
    wanted = min(count + MARGIN, len(gallery))
    query, gallery = np.ascontiguousarray(query, np.float32), np.ascontiguousarray(gallery, np.float32)
    bounds, candidates = _candidates(query, gallery, wanted)
    neighbours = np.empty((len(query), count), np.int64)
    largest = float(np.einsum("gd,gd->g", gallery, gallery).max(initial=0))
    block = max(1, BLOCK_BYTES // (4 * wanted * gallery.shape[1]))
    for start in range(0, len(query), block):
        part = slice(start, start + block)
        near = np.sort(candidates[part], axis=1)
        differences = gallery[near]
        differences -= query[part, None]
        distances = np.einsum("qnd,qnd->qn", differences, differences)
        order = np.argsort(distances, axis=1, kind="stable")[:, :count]
        neighbours[part] = np.take_along_axis(near, order, 1)
        last = np.take_along_axis(distances, order[:, -1:], 1)[:, 0]
        slack = ROUNDING * (largest + np.einsum("qd,qd->q", query[part], query[part]))
        uncertain = bounds[part] <= last + slack if wanted < len(gallery) else np.zeros(len(near), bool)
        for index in np.flatnonzero(uncertain) + start:
            neighbours[index] = smallest(_squared_distances(query[index], gallery)[None], count)[0]
    return neighbours


def smallest(distances: Floats, count: int) -> Indices:
    """Gallery indices (Q, count) of each query's smallest distances (Q, G), in the order of a stable sort.

    Example:
        >>> smallest(np.float32([[2, 1, 2, 1]]), count=3)
        array([[1, 3, 0]])
    """
    count = min(count, distances.shape[1])
    if count == distances.shape[1]:
        return np.argsort(distances, axis=1, kind="stable")
    chosen = np.sort(np.argpartition(distances, count - 1, axis=1)[:, :count], axis=1)
    values = np.take_along_axis(distances, chosen, 1)
    result = np.take_along_axis(chosen, np.argsort(values, axis=1, kind="stable"), 1)
    # Where others are as near as the last one, the partition took any of them.
    for query in np.flatnonzero((distances <= values.max(1, keepdims=True)).sum(1) > count):
        result[query] = np.argsort(distances[query], kind="stable")[:count]
    return result


def _candidates(query: Floats, gallery: Floats, count: int) -> tuple[Floats, Indices]:
    """Each query's candidates by faiss (Q, count), in any order; before them their largest squared distance (Q,)."""
    import faiss

    if count <= GPU_LIMIT and hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0:
        resources = faiss.StandardGpuResources()  # must live as long as the index
        index = faiss.index_cpu_to_gpu(resources, 0, faiss.IndexFlatL2(gallery.shape[1]))
        index.add(gallery)
        distances, candidates = index.search(query, count)
    else:
        distances, candidates = faiss.knn(query, gallery, count)
    return distances.max(1), candidates


def _squared_distances(feature: Floats, gallery: Floats) -> Floats:
    """Squared distances (G,) between one feature (D,) and the gallery's (G, D)."""
    distances = np.empty(len(gallery), np.float32)
    block = max(1, BLOCK_BYTES // (4 * gallery.shape[1]))
    for start in range(0, len(gallery), block):
        differences = gallery[start : start + block] - feature
        distances[start : start + block] = np.einsum("gd,gd->g", differences, differences)
    return distances
