"""What each image of a gallery is worth: the change of the mean average precision when it alone is left out.

With a query's n good images at ranks r_1 < ... < r_n, AP = (1/n) sum_i i / r_i (the step rule). Without a wrong image
at rank r each good image behind it is one rank further up: i / (r_i - 1) for r_i > r. Without the j-th good image there
are n - 1, and those behind it are at (i - 1) / (r_i - 1). So one ranking of the gallery gives the changes by all its
images.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def costs(
    distances: NDArray[np.float32],
    good: NDArray[np.bool_],
    ignored: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """How much the AP of each query rises when an image is left out: (Q, G), in -1..1; above zero, the image costs.

    Args:
        distances: (Q, G), smaller is closer; images at equal distance rank in gallery order.
        good: (Q, G) images of the query's person.
        ignored: (Q, G) images that are not ranked for a query, which cost it nothing.

    A query's only good image costs nothing, and a query without any has no AP that could change.

    Example:
        A wrong image before the only good one halves the AP.

        >>> costs(np.float32([[0.1, 0.2, 0.3]]), np.array([[False, True, False]]), np.zeros((1, 3), bool))
        array([[0.5, 0. , 0. ]])
    """
    ranked = np.where(ignored, np.inf, distances)
    order = np.argsort(ranked, axis=1, kind="stable")
    hits = np.take_along_axis(good & ~ignored, order, 1)
    rank = np.arange(1, hits.shape[1] + 1)
    found = hits.cumsum(1)  # good images up to each rank
    count = found[:, -1:]
    precision = np.where(hits, found / rank, 0.0)
    before = np.maximum(rank - 1, 1)
    nearer = np.where(hits, found / before, 0.0)  # of a good image, without a wrong one before it
    nearer_and_fewer = np.where(hits, (found - 1) / before, 0.0)  # and without a good one before it

    def behind(values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sums of the values at later ranks."""
        return values[:, ::-1].cumsum(1)[:, ::-1] - values

    of_wrong = behind(nearer - precision) / np.maximum(count, 1)
    up_to = precision.cumsum(1) - precision
    without = (up_to + behind(nearer_and_fewer)) / np.maximum(count - 1, 1)
    of_good = np.where(count > 1, without - precision.sum(1, keepdims=True) / np.maximum(count, 1), 0.0)
    changes = np.where(hits, of_good, of_wrong)
    found_costs = np.empty(changes.shape)
    np.put_along_axis(found_costs, order, changes, 1)
    return np.where(ignored, 0.0, found_costs)
