"""Class labels for training on real and generated images."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reid.common.parameters import NotNegative, Share
from reid.files.samples import class_labels


class Labels(NamedTuple):
    """Training targets of N images."""

    labels: NDArray[np.int64]  # (N,) class labels, 0..classes-1
    smoothing: NDArray[np.float32]  # (N,) the part of the label that is spread over all classes, in 0..1
    weights: NDArray[np.float32]  # (N,) of each image's loss
    classes: int


def label(
    identities: NDArray[np.int64],
    generated: NDArray[np.bool_],
    labels: Literal["inherit", "separate"] = "inherit",
    smoothing: Share = 0.0,
    weight: NotNegative = 1.0,
) -> Labels:
    """Class labels in the order of the sorted identities.

    Args:
        identities: (N,).
        generated: (N,) which images are generated.
        labels: of generated images. `inherit`: their person's class. `separate`: classes of their own, one for each
            person, the person's class plus the number of people, a switch of the released script.
        smoothing: of the generated images' labels, in 0..1: below 1 label smoothing (LSR), at 1 a uniform target as in
            LSRO (Zheng et al., ICCV 2017).
        weight: of the generated images' losses; that of the real ones is 1. A pair of a siamese network has the mean of
            its images' weights, for all of its loss.

    Example:
        >>> found = label(np.array([9, 2, 9]), np.array([False, False, True]), "separate", smoothing=0.5, weight=0.2)
        >>> found.labels.tolist(), found.smoothing.tolist(), found.weights.round(1).tolist(), found.classes
        ([1, 0, 3], [0.0, 0.0, 0.5], [1.0, 1.0, 0.20000000298023224], 4)
    """
    told, classes = class_labels(identities)
    if labels == "separate" and generated.any():
        told, classes = told + generated * classes, 2 * classes
    weights = np.where(generated, weight, 1).astype(np.float32)
    return Labels(told, (generated * smoothing).astype(np.float32), weights, classes)
