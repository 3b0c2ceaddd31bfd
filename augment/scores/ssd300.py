"""SSD300 on VGG-16 (Liu et al. 2016), the kind of detector behind the papers' detection score."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from reid.files import weights

PERSON = 1  # class of COCO
LEAST = 0.01  # confidence of a detection that is kept, as released


class SSD300:
    """Torchvision's SSD300. Its weights are COCO's, the papers' VOC's: scores come near the published ones, no more.

    Raises MissingWeights where its file is not there.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        from torchvision.models.detection import ssd300_vgg16

        path = weights.locate("ssd300")
        self.network = ssd300_vgg16(weights=None, weights_backbone=None, score_thresh=LEAST).eval()
        self.network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        self.network.to(device)
        self.device = device

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """The highest confidence in [0, 1] that each of (N, H, W, 3) uint8 RGB shows a person; 0 where none is found.

        As released, images are stretched to 300x300 whatever their aspect.
        """
        pixels = torch.from_numpy(images).to(self.device).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            found = self.network(list(pixels))
        people = (one["scores"][one["labels"] == PERSON] for one in found)
        return np.array([float(scores.max()) if len(scores) else 0.0 for scores in people])
