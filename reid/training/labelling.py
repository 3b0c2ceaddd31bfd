"""Class labels for training on real and generated images."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reid.files.samples import class_labels


class Labels(NamedTuple):
    """Training targets of N images."""

    labels: NDArray[np.int64]  # (N,) class labels, 0..classes-1
    smoothing: NDArray[np.float32]  # (N,) the part of the label that is spread over all classes, in 0..1
    classes: int


def label(identities: NDArray[np.int64], generated: NDArray[np.bool_], separate: bool, smoothing: float) -> Labels:
    """Class labels in the order of the sorted identities.

    Args:
        identities: (N,).
        generated: (N,) which images are generated.
        separate: whether generated images are in classes of their own, one for each person: the person's class plus
            the number of people, a switch of the released script. Otherwise they are in their person's class.
        smoothing: of the generated images' labels, in 0..1: below 1 label smoothing (LSR), at 1 a uniform target as in
            LSRO (Zheng et al., ICCV 2017).

    Example:
        >>> label(np.array([9, 2, 9]), np.array([False, False, True]), separate=True, smoothing=0.5)
        Labels(labels=array([1, 0, 3]), smoothing=array([0. , 0. , 0.5], dtype=float32), classes=4)
    """
    labels, classes = class_labels(identities)
    if separate and generated.any():
        labels, classes = labels + generated * classes, 2 * classes
    return Labels(labels, (generated * smoothing).astype(np.float32), classes)
