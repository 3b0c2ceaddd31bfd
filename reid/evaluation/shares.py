"""Which share of one system's gain another has, with an interval over training seeds and over people.

Both gains are over the same base, by the same seeds and queries, and both are estimates. The interval is Fieller's
(1954): it holds each share r for which the system's gain less r times the reference's may be zero, with the variances
of `gains` and the degrees of freedom at the estimate. Where the reference's gain is barely certain it holds the truth
less often than 95 times of 100, since no interval is given at all where that gain happened not to be certain.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reid.evaluation.gains import covariances, gain, quantile


class Share(NamedTuple):
    """A ratio of two gains, and the bounds of its 95 % interval; 1 is all of the reference's gain."""

    mean: float
    low: float
    high: float


def share(
    system: NDArray[np.float64],
    reference: NDArray[np.float64],
    base: NDArray[np.float64],
    people: NDArray[np.int64],
) -> Share | None:
    """The system's gain over the base as a share of the reference's; None where that may be zero: no bounds, then.

    Args:
        system: (S, Q) values of each query, e.g. average precisions, trained with each seed, as of `gain`.
        reference: (S, Q) by what could be gained, e.g. real images in the place of generated ones.
        base: (S, Q) by what both gain over.
        people: (Q,) identity of each query.

    Raises:
        InputError: shapes, values, seeds or people are none that `gain` takes.

    Example:
        >>> base = np.array([[0.5, 0.7, 0.9], [0.6, 0.6, 0.9], [0.7, 0.6, 0.9]])
        >>> reference = base + [[0.2, 0.1, 0.1], [0.2, 0.2, 0.1], [0.2, 0.1, 0.2]]
        >>> system = base + [[0.1, 0.1, 0.0], [0.1, 0.1, 0.1], [0.1, 0.0, 0.1]]
        >>> [round(value, 2) for value in share(system, reference, base, people=np.array([7, 8, 9]))]
        [0.5, 0.13, 0.87]
    """
    own, whole = gain(system, base, people), gain(reference, base, people)
    if whole.low <= 0:
        return None
    mean = own.mean / whole.mean
    of_seeds, of_people = covariances(np.stack([system - base, reference - base]), people)
    rest = np.array([1, -mean])  # own - mean x whole
    by_seeds, by_people = (max(0.0, float(rest @ part @ rest)) for part in (of_seeds, of_people))
    if by_seeds + by_people < 1e-30:
        return Share(mean, mean, mean)
    cover = quantile(by_seeds, by_people, len(system), len(np.unique(people))) ** 2 * (of_seeds + of_people)
    # (own - r whole)^2 <= cover[0, 0] - 2 r cover[0, 1] + r^2 cover[1, 1], a quadratic inequality of r
    square = float(whole.mean**2 - cover[1, 1])
    half = float(own.mean * whole.mean - cover[0, 1])
    constant = float(own.mean**2 - cover[0, 0])
    if square <= 0:
        return None
    root = max(0.0, half**2 - square * constant) ** 0.5
    return Share(mean, (half - root) / square, (half + root) / square)
