"""The detector SSD300 on VGG-16 (Liu et al. 2016), the architecture behind the papers' detection score."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from reid.files import weights

PERSON = 1  # label of the class person in COCO
LEAST = 0.01  # confidence below which detections are dropped, as released


class SSD300:
    """Torchvision's SSD300, trained on COCO.

    The papers' SSD300 was trained on Pascal VOC, so its published scores are not comparable with these.

    Raises MissingWeights where the file of weights is not there.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        from torchvision.models.detection import ssd300_vgg16

        path = weights.locate("ssd300")
        self.network = ssd300_vgg16(weights=None, weights_backbone=None, score_thresh=LEAST).eval()
        self.network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        self.network.to(device)
        self.device = device

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """The highest person confidence (N,) in [0, 1] of images (N, H, W, 3) uint8 RGB; 0 without a detection.

        As released, images are stretched to 300x300 whatever their aspect ratio.
        """
        pixels = torch.from_numpy(images).to(self.device).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            detections = self.network(list(pixels))
        people = (of_image["scores"][of_image["labels"] == PERSON] for of_image in detections)
        return np.array([float(scores.max()) if len(scores) else 0.0 for scores in people])
