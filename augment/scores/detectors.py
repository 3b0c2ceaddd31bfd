"""The detection score (DS): how sure a detector is that images show a person. To add one: a class, its line below."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from augment.scores.detection import PersonDetector
from augment.scores.ssd300 import SSD300
from reid.progress import progress

Detector = PersonDetector | SSD300
DETECTORS: dict[str, Callable[[], Detector]] = {"ssdlite-person": PersonDetector, "ssd300": SSD300}


def detection_score(detector: Detector, images: NDArray[np.uint8], title: str = "detect") -> float:
    """DS of images (N, H, W, 3) uint8 RGB: the mean of the highest person score in each, in [0, 1]."""
    return float(np.mean([detector.score(image) for image in progress(images, title, "image")]))
