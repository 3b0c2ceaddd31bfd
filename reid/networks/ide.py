"""IDE: the ID-discriminative embedding, a classifier over training identities whose last features are the embedding."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reid.common.parameters import Share, Size, fault
from reid.networks.backbones import BACKBONES, build, check_name
from reid.networks.crops import check_crop, fit
from reid.networks.folding import fold
from reid.networks.freezing import freeze

Distribution = Literal["normal", "uniform"]


class IDE(nn.Module):
    """A backbone and one fully connected layer, trained with the softmax loss.

    Example:
        >>> network = IDE(classes=10, backbone="mobilenet-v2", input_size=(64, 32), pretrained=False)
        >>> images, labels = torch.zeros(2, 3, 128, 64), torch.tensor([0, 9])
        >>> network.loss(images, labels).shape, network.embed(images).shape
        (torch.Size([2]), torch.Size([2, 1280]))
    """

    def __init__(
        self,
        classes: int,  # number of training identities
        backbone: str = "resnet50",  # name of a backbone: `reid.networks.backbones`
        input_size: Size = (224, 224),  # (H, W) that images are resized to, stretched where needed
        crop_size: Size | None = None,  # (H, W) of the crop that is seen: a random one in training; None for all
        dropout: Share = 0.0,  # before the classifier; 0 as released, 0.5 was found better later
        freeze_batch_norm: bool = True,  # keep ImageNet's statistics; scale and shift are trained, as released
        weights: str | None = None,  # file of the backbone's weights; None for those that come with it
        pretrained: bool = True,  # start from weights
    ):
        super().__init__()
        check_crop(input_size, crop_size)
        self.backbone = build(backbone, pretrained, weights)
        self.classifier = linear(self.backbone.dimensions, classes, 0.001)
        self.input_size, self.crop_size = input_size, crop_size
        self.dropout = dropout
        if freeze_batch_norm:
            (fold if backbone in BACKBONES else freeze)(self.backbone)

    @staticmethod
    def check_options(options: dict[str, Any]) -> None:
        """Raise ValueError where a crop does not fit, or a backbone does not exist or lacks a file of its weights."""
        check_crop(options["input_size"], options["crop_size"])
        check_name(options["backbone"])
        if ":" in options["backbone"] and options["weights"] is None:
            raise fault("weights", f"backbone {options['backbone']} needs a file of its weights: none come with it")

    def heads(self) -> list[tuple[nn.Module, float]]:
        """The layers after the backbone, and their learning rates as multiples of the classifier's."""
        return [(self.classifier, 1.0)]

    def loss(self, images: Tensor, labels: Tensor, smoothing: Tensor | None = None) -> Tensor:
        """Softmax loss (B,).

        Args:
            images: (B, 3, H, W) in [-1, 1].
            labels: (B,) classes.
            smoothing: (B,) the part of each image's label that is spread over all classes, in 0..1; none by default.
        """
        return self._identification(self.features(images), labels, smoothing)

    def embed(self, images: Tensor) -> Tensor:
        """Embeddings (B, D) of images (B, 3, H, W) in [-1, 1]; not normalised."""
        return self.features(images)

    def features(self, images: Tensor) -> Tensor:
        """The backbone's features (B, D) of images (B, 3, H, W) of any size, in [-1, 1]."""
        seen = fit(images, self.input_size, self.crop_size, self.training)
        return self.backbone(seen.contiguous(memory_format=torch.channels_last))

    def _identification(self, features: Tensor, labels: Tensor, smoothing: Tensor | None) -> Tensor:
        log_probabilities = self.classifier(F.dropout(features, self.dropout, self.training)).log_softmax(1)
        own = -log_probabilities.gather(1, labels[:, None])[:, 0]
        if smoothing is None:
            return own
        return (1 - smoothing) * own - smoothing * log_probabilities.mean(1)


def linear(inputs: int, outputs: int, deviation: float, distribution: Distribution = "normal") -> nn.Linear:
    """A fully connected layer, initialised."""
    layer = nn.Linear(inputs, outputs)
    initialise(layer, deviation, distribution)
    return layer


def initialise(layer: nn.Linear, deviation: float, distribution: Distribution) -> None:
    """Give a layer random weights around 0, and no bias; uniform weights lie within sqrt(3) deviations."""
    if distribution == "normal":
        nn.init.normal_(layer.weight, std=deviation)
    else:
        nn.init.uniform_(layer.weight, -math.sqrt(3) * deviation, math.sqrt(3) * deviation)
    nn.init.zeros_(layer.bias)
