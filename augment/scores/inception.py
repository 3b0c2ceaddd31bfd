"""Inception score (IS), Salimans et al. 2016: high for confident and diverse classifications.

With p(k | x) a classifier's probabilities for an image x, and p(k) their mean over the images of a part,

    IS = exp( mean over x of KL( p(k | x) || p(k) ) ).

It lies between 1 and the number of images of a part or of classes, whichever is less. So values are only comparable for
the same number of images and the same classifier (see `classifiers`). Images of people are all of one class, which this
score was not made for (Sec. 5.2); it is given because the papers give it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reid.common.errors import InputError

SPLITS = 10  # contiguous parts, whose numbers of images differ by one at most, as released


def inception_score(probabilities: NDArray[np.float64], splits: int = SPLITS) -> tuple[float, float]:
    """Mean and (population) standard deviation of the scores of contiguous parts of the images.

    Args:
        probabilities: (N, K) of K classes for N images, those of an image summing to 1. The images must be in an order
            that mixes people, so that each part is a sample of all.
        splits: number of parts.

    Raises:
        InputError: there are fewer images than parts.

    Example:
        >>> import numpy as np
        >>> from augment.scores.inception import inception_score
        >>> score, _ = inception_score(np.eye(4), splits=1)  # each image surely of another class
        >>> round(score, 3)
        4.0
        >>> score, _ = inception_score(np.full((4, 4), 0.25), splits=1)  # all images undecided
        >>> round(score, 3)
        1.0
    """
    count = len(probabilities)
    if count < splits:
        raise InputError(
            f"inception score: expected at least {splits} images, one for each of {splits} parts, got {count}: score "
            "more images, or take fewer splits"
        )
    scores = []
    for part in range(splits):
        p = probabilities[part * count // splits : (part + 1) * count // splits].astype(np.float64)
        log_ratio = np.log(np.maximum(p, 1e-300)) - np.log(np.maximum(p.mean(0), 1e-300))  # so that 0 log 0 is 0
        scores.append(float(np.exp((p * log_ratio).sum(1).mean())))
    return float(np.mean(scores)), float(np.std(scores))
