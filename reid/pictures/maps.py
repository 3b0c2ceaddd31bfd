"""Features drawn in two dimensions, to look at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def on_a_plane(features: NDArray[np.float32], seed: int = 0) -> NDArray[np.float32]:
    """Coordinates (N, 2) of features (N, D) by t-SNE (van der Maaten and Hinton, 2008).

    t-SNE keeps neighbours together; distances between clusters, and the clusters' sizes, mean nothing. Where there are
    fewer than three features, or all are equal, all coordinates are 0.
    """
    if len(features) < 3 or not np.ptp(features, axis=0).any():
        return np.zeros((len(features), 2), np.float32)
    from sklearn.manifold import TSNE  # takes seconds to import

    perplexity = min(30.0, (len(features) - 1) / 3)
    random_state = seed % 2**32  # scikit-learn takes no larger ones
    return TSNE(init="pca", perplexity=perplexity, random_state=random_state).fit_transform(features)
