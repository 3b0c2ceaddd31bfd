"""Class labels for training on real and generated images."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reid.files.samples import class_labels


class Labels(NamedTuple):
    """What a Re-ID network is told of N training images."""

    labels: NDArray[np.int64]  # (N,) classes, from 0
    smoothing: NDArray[np.float32]  # (N,) the part of the label that is spread over all classes, in 0..1
    classes: int


def label(identities: NDArray[np.int64], generated: NDArray[np.bool_], separate: bool, smoothing: float) -> Labels:
    """Classes in the order of the identities; a generated image has its person's, or one of its own.

    Args:
        identities: (N,).
        generated: (N,) which images are.
        separate: whether each person's generated images are a class of their own, that of the person plus the number of
            people, as in a switch of the released script.
        smoothing: of generated images, in 0..1: label smoothing as in LSR, and at 1 as in LSRO (Zheng et al., ICCV
            2017).
    """
    labels, classes = class_labels(identities)
    if separate and generated.any():
        labels, classes = labels + generated * classes, 2 * classes
    return Labels(labels, (generated * smoothing).astype(np.float32), classes)
