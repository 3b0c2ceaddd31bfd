"""Nearest neighbours in a gallery: exact, ties in the order of the gallery, the gallery never copied on the CPU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reid.common.errors import InputError

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

MARGIN = 16  # neighbours that faiss is asked for beyond those wanted
BLOCK_BYTES = 64 << 20  # of neighbours' features held at a time
GPU_LIMIT = 2048  # neighbours that faiss finds on a GPU
ROUNDING = 1e-5  # of faiss's distances, |q|^2 + |g|^2 - 2 q g, as a share of |q|^2 + |g|^2


def nearest(query: Floats, gallery: Floats, count: int) -> Rows:
    """Rows (Q, count) of the gallery features (G, D) nearest to each query feature (Q, D) by Euclidean distance.

    Gallery rows at equal distance come in the order of the gallery. Fewer than `count` where the gallery is smaller;
    an empty one raises InputError.
    For the cosine similarity, normalise the features: the order is then the same.

    faiss, on the GPU where it sees one, finds candidates. It rounds, and breaks ties as it likes: so candidates are
    sorted by differences of coordinates, and where more of them could be at the last distance, all of the gallery is.
    """
    if len(gallery) == 0:
        raise InputError("the gallery is empty: there is nothing to be near to")
    count = min(count, len(gallery))
    asked = min(count + MARGIN, len(gallery))
    query, gallery = np.ascontiguousarray(query, np.float32), np.ascontiguousarray(gallery, np.float32)
    bounds, candidates = _candidates(query, gallery, asked)
    rows = np.empty((len(query), count), np.int64)
    largest = float(np.einsum("gd,gd->g", gallery, gallery).max(initial=0))
    block = max(1, BLOCK_BYTES // (4 * asked * gallery.shape[1]))
    for start in range(0, len(query), block):
        part = slice(start, start + block)
        near = np.sort(candidates[part], axis=1)
        differences = gallery[near]
        differences -= query[part, None]
        distances = np.einsum("qnd,qnd->qn", differences, differences)
        order = np.argsort(distances, axis=1, kind="stable")[:, :count]
        rows[part] = np.take_along_axis(near, order, 1)
        last = np.take_along_axis(distances, order[:, -1:], 1)[:, 0]
        slack = ROUNDING * (largest + np.einsum("qd,qd->q", query[part], query[part]))
        open_ends = bounds[part] <= last + slack if asked < len(gallery) else np.zeros(len(near), bool)
        for row in np.flatnonzero(open_ends) + start:
            rows[row] = smallest(_to_all(query[row], gallery)[None], count)[0]
    return rows


def smallest(distances: Floats, count: int) -> Rows:
    """Columns (Q, count) of the smallest of each row of distances (Q, G), as a stable sort has them."""
    count = min(count, distances.shape[1])
    if count == distances.shape[1]:
        return np.argsort(distances, axis=1, kind="stable")
    found = np.sort(np.argpartition(distances, count - 1, axis=1)[:, :count], axis=1)
    values = np.take_along_axis(distances, found, 1)
    rows = np.take_along_axis(found, np.argsort(values, axis=1, kind="stable"), 1)
    for row in np.flatnonzero((distances <= values.max(1, keepdims=True)).sum(1) > count):  # ties at the last one
        rows[row] = np.argsort(distances[row], kind="stable")[:count]
    return rows


def _candidates(query: Floats, gallery: Floats, count: int) -> tuple[Floats, Rows]:
    """The largest squared distance (Q,) among the nearest, and the nearest (Q, count), in any order."""
    import faiss

    if count <= GPU_LIMIT and hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0:
        resources = faiss.StandardGpuResources()  # must live as long as the index
        index = faiss.index_cpu_to_gpu(resources, 0, faiss.IndexFlatL2(gallery.shape[1]))
        index.add(gallery)
        distances, rows = index.search(query, count)
    else:
        distances, rows = faiss.knn(query, gallery, count)
    return distances.max(1), rows


def _to_all(one: Floats, gallery: Floats) -> Floats:
    """Squared distances (G,) of a feature (D,)."""
    distances = np.empty(len(gallery), np.float32)
    block = max(1, BLOCK_BYTES // (4 * gallery.shape[1]))
    for start in range(0, len(gallery), block):
        differences = gallery[start : start + block] - one
        distances[start : start + block] = np.einsum("gd,gd->g", differences, differences)
    return distances
