"""Which share of one system's gain another has, with an interval over training seeds and over people.

Both gains are over the same base, by the same seeds and queries, and both are estimates. The interval is Fieller's
(1954): it holds each share r at which `gains.gain` cannot tell the system's gain from r times the reference's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reid.common.errors import InputError
from reid.evaluation.gains import gain

HALVINGS = 40  # of the interval in which a bound is searched


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
) -> Share:
    """The system's gain over the base as a share of the reference's.

    Args:
        system: (S, Q) values of each query, e.g. average precisions, trained with each seed, as of `gain`.
        reference: (S, Q) by what could be gained, e.g. real images in the place of generated ones.
        base: (S, Q) by what both gain over.
        people: (Q,) identity of each query.

    Raises:
        InputError: shapes, values, seeds or people are none that `gain` takes, or the reference's gain is not certainly
            above zero, without which the interval would have no bounds.

    Example:
        >>> base = np.array([[0.5, 0.7, 0.9], [0.6, 0.6, 0.9], [0.7, 0.6, 0.9]])
        >>> reference = base + [[0.2, 0.1, 0.1], [0.2, 0.2, 0.1], [0.2, 0.1, 0.2]]
        >>> system = base + [[0.1, 0.1, 0.0], [0.1, 0.1, 0.1], [0.1, 0.0, 0.1]]
        >>> [round(value, 2) for value in share(system, reference, base, people=np.array([7, 8, 9]))]
        [0.5, 0.27, 0.73]
    """
    whole = gain(reference, base, people)
    if whole.low <= 0:
        raise InputError(f"share: expected a reference with a gain certainly above zero, got {whole.mean:.3g}")
    own, possible = system - base, reference - base
    mean = gain(own, np.zeros_like(own), people).mean / whole.mean

    def bound(step: float) -> float:
        inside, outside = mean, mean + step
        while _possible(own, outside * possible, people):
            outside = mean + 2 * (outside - mean)
        for _ in range(HALVINGS):
            middle = (inside + outside) / 2
            if _possible(own, middle * possible, people):
                inside = middle
            else:
                outside = middle
        return inside

    return Share(mean, bound(-1.0), bound(1.0))


def _possible(own: NDArray[np.float64], part: NDArray[np.float64], people: NDArray[np.int64]) -> bool:
    """Whether the gains may be the same."""
    return not gain(own, part, people).certain
