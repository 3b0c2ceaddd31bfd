"""Inception score (IS), Salimans et al. 2016: are images of something, and are they of many things?

With p(k | x) a classifier's probabilities for an image x, and p(k) their mean over the images of a split,

    IS = exp( mean over x of KL( p(k | x) || p(k) ) ),

between 1 and the number of images or of classes, whichever is less. So it depends on how many images there are, and on
the classifier: values are only comparable for equal ones. See `classifiers` for the networks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reid.common.errors import InputError

SPLITS = 10  # contiguous parts of equal length, up to one image, as released


def inception_score(probabilities: NDArray[np.float64], splits: int = SPLITS) -> tuple[float, float]:
    """Mean and standard deviation (of the population) of the scores of contiguous parts of the images.

    Args:
        probabilities: (N, K) of the N images, rows summing to 1, in an order that mixes people.
        splits: number of parts.

    Raises:
        InputError: there are fewer images than parts.
    """
    count = len(probabilities)
    if count < splits:
        raise InputError(f"inception score: expected at least {splits} images, one a part, got {count}")
    scores = []
    for part in range(splits):
        p = probabilities[part * count // splits : (part + 1) * count // splits].astype(np.float64)
        logs = np.log(np.maximum(p, 1e-300)) - np.log(np.maximum(p.mean(0), 1e-300))  # 0 log 0 is 0
        scores.append(float(np.exp((p * logs).sum(1).mean())))
    return float(np.mean(scores)), float(np.std(scores))
