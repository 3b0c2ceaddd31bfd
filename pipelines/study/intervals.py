"""Shares with intervals over participants and images, which are both taken for random draws.

Every participant answers every image, so the draws are crossed: some participants err more often than others, and some
images deceive more of them. The variance of the share is that of the participants' means and that of the images' means
added up, minus the variance of single answers, which both contain; it is never less than either. From it follows how
many independent answers would be as certain, and the interval is that of Clopper and Pearson (1934) for so many, which
stays within 0 and 1 and holds for shares near them too (Korn and Graubard, 1998; degrees of freedom by Satterthwaite,
1946). With one participant nothing is known of others: the interval is the exact one over images, for that person.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, t

LEVEL = 0.95


class Share(NamedTuple):
    """A share, and the bounds of its 95 % interval, each in 0..1."""

    mean: float
    low: float
    high: float


def share(hits: NDArray[np.bool_], kinds: NDArray[np.int64]) -> Share:
    """The share of answers that are hits.

    Args:
        hits: (P, I) whether participant p's answer to image i is one.
        kinds: (I,) the kind of each image: the number of images of each kind is fixed. At least two images of each.

    Example:
        One participant is wrong in 1 of 4 images.

        >>> one = share(np.array([[True, False, False, False]]), kinds=np.zeros(4, int))
        >>> [round(value, 3) for value in one]
        [0.25, 0.006, 0.806]
    """
    participants, images = hits.shape
    mean = float(hits.mean())
    size = float(images)  # of a sample of independent answers that is as certain
    if participants > 1 and 0 < mean < 1:
        size = _effective_size(hits.astype(np.float64), kinds)
    tail, count = (1 - LEVEL) / 2, mean * size
    low = float(beta.ppf(tail, count, size - count + 1)) if mean > 0 else 0.0
    high = float(beta.ppf(1 - tail, count + 1, size - count)) if mean < 1 else 1.0
    return Share(mean, low, high)


def _effective_size(hits: NDArray[np.float64], kinds: NDArray[np.int64]) -> float:
    participants, images = hits.shape
    mean = hits.mean()
    own = np.empty_like(hits)  # each participant's mean over images of this kind
    for kind in np.unique(kinds):
        own[:, kinds == kind] = hits[:, kinds == kind].mean(1, keepdims=True)
    free = images - len(np.unique(kinds))
    of_image = hits.mean(0) - own.mean(0)  # (I,) how far it is from the mean of its kind
    by_participants = hits.mean(1).var(ddof=1) / participants
    by_images = (of_image**2).sum() / free / images
    left = ((hits - own - of_image) ** 2).sum() / (participants - 1) / free / participants / images
    variance = max(by_participants + by_images - left, by_participants, by_images)
    if variance == 0:  # of means that happen to be equal
        return float(images)
    freedom = variance**2 / (by_participants**2 / (participants - 1) + by_images**2 / free)
    size = min(mean * (1 - mean) / variance, hits.size)
    quantile = (1 + LEVEL) / 2
    return float(size * (t.ppf(quantile, hits.size - 1) / t.ppf(quantile, freedom)) ** 2)
