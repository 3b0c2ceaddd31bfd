"""Nearest neighbours in a gallery by faiss, on the GPU where faiss sees one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def nearest(query: NDArray[np.float32], gallery: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Rows (Q, count) of the gallery features (G, D) nearest to each query feature (Q, D) by Euclidean distance."""
    import faiss

    index: faiss.Index = faiss.IndexFlatL2(gallery.shape[1])
    if hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0:
        resources = faiss.StandardGpuResources()  # must live as long as the index
        index = faiss.index_cpu_to_gpu(resources, 0, index)
    index.add(np.ascontiguousarray(gallery))
    return index.search(np.ascontiguousarray(query), min(count, len(gallery)))[1]
