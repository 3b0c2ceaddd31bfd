"""ImageNet classifiers, by name, whose outputs the inception score and the Frechet distance are computed from.

To add one: a function that returns a `Classifier`, and its line in `CLASSIFIERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from augment.scores.efficientnet_lite import EfficientNetLite0
from reid.common.progress import progress
from reid.files import weights
from reid.files.images import to_float


class Judged(NamedTuple):
    """A classifier's outputs for N images."""

    probabilities: NDArray[np.float64]  # (N, K) of the K classes; those of an image sum to 1
    features: NDArray[np.float32]  # (N, D) input of the last layer, averaged over positions


class Classifier(nn.Module):
    """A classification network, and the size that images are scaled to for it.

    Args:
        network: images (B, 3, H, W) RGB in [-1, 1] to features (B, D) and logits (B, K).
        height: of the scaled images, in pixels.
        square: whether their width is the same, as in the released code; otherwise the aspect ratio is kept.
    """

    def __init__(self, network: nn.Module, height: int, square: bool):
        super().__init__()
        self.network, self.height, self.square = network.eval(), height, square

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, 3, H, W) RGB in [-1, 1] of any size to features (B, D) and logits (B, K)."""
        width = self.height if self.square else round(self.height * images.shape[3] / images.shape[2])
        return self.network(F.interpolate(images, (self.height, width), mode="bilinear", antialias=True))


class _InceptionV3(nn.Module):
    """Torchvision's Inception-v3, giving also the features before its last layer."""

    def __init__(self) -> None:
        super().__init__()
        from torchvision.models import inception_v3 as build

        network = build(weights=None, init_weights=False, aux_logits=True)
        network.load_state_dict(torch.load(weights.locate("inception-v3"), map_location="cpu", weights_only=True))
        network.aux_logits, network.AuxLogits = False, None
        self.last, network.fc = network.fc, nn.Identity()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.network(images)
        return features, self.last(features)


def efficientnet_lite0() -> Classifier:
    """EfficientNet-Lite0 at a height of 224 pixels; 1280 features, 1000 classes."""
    return Classifier(EfficientNetLite0(), 224, square=False)


def inception_v3() -> Classifier:
    """Torchvision's Inception-v3 at 299 x 299 pixels; 2048 features, 1000 classes.

    Published inception scores were computed with an older TensorFlow graph, from another training and without the last
    layer's bias: scores of this network come near them, but cannot be compared with them exactly.
    """
    return Classifier(_InceptionV3(), 299, square=True)


CLASSIFIERS: dict[str, Callable[[], Classifier]] = {
    "efficientnet-lite0": efficientnet_lite0,
    "inception-v3": inception_v3,
}


def judge(classifier: Classifier, images: Tensor, batch_size: int = 8, title: str = "classify") -> Judged:
    """Class probabilities and features of images (N, 3, H, W) uint8, computed on the device that they are on."""
    probabilities, features = [], []
    with torch.inference_mode():
        for batch in progress(images.split(batch_size), title, "batch"):
            batch_features, logits = classifier(to_float(batch))
            features.append(batch_features.float().cpu())
            probabilities.append(logits.double().softmax(1).cpu())
    return Judged(torch.cat(probabilities).numpy(), torch.cat(features).numpy())
