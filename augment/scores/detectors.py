"""The detection score (DS): how confident a person detector is that images show a person (Sec. 5.2).

To add a detector: a class with `scores(images)`, and its line in `DETECTORS`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from augment.scores.detection import PersonDetector
from augment.scores.ssd300 import SSD300
from reid.common.progress import progress

Detector = PersonDetector | SSD300
DETECTORS: dict[str, Callable[[torch.device], Detector]] = {  # each makes a detector for a device
    "ssdlite-person": lambda device: PersonDetector(),  # OpenCV runs it on the CPU
    "ssd300": SSD300,
}
BATCH = 16  # images


def detection_score(detector: Detector, images: NDArray[np.uint8], title: str = "detect") -> float:
    """DS of images (N, H, W, 3) uint8 RGB: the mean over images of the highest person confidence, in [0, 1]."""
    return float(detection_scores(detector, images, title).mean())


def detection_scores(detector: Detector, images: NDArray[np.uint8], title: str = "detect") -> NDArray[np.float64]:
    """The highest person confidence (N,), in [0, 1], of each image (N, H, W, 3) uint8 RGB."""
    batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
    return np.concatenate([detector.scores(batch) for batch in progress(batches, title, "batch")])
