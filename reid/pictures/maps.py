"""Features on a plane, to look at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def on_a_plane(features: NDArray[np.float32], seed: int = 0) -> NDArray[np.float32]:
    """Places (N, 2) at which features (N, D) that are close lie close: t-SNE (van der Maaten and Hinton, 2008).

    Only neighbourhoods mean something; distances between clusters, and their sizes, do not. Where there are fewer than
    three images, or all features are equal, all places are the origin.
    """
    if len(features) < 3 or not np.ptp(features, axis=0).any():
        return np.zeros((len(features), 2), np.float32)
    from sklearn.manifold import TSNE  # takes seconds to import

    perplexity = min(30.0, (len(features) - 1) / 3)
    return TSNE(init="pca", perplexity=perplexity, random_state=seed).fit_transform(features)
