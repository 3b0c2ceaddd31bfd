"""The strong baseline of "Bag of Tricks and a Strong Baseline for Deep Person Re-Identification" (Luo et al., 2019).

Its parts are options here (the neck, the triplet loss, label smoothing, the last stride) or of the training loop
(identity-balanced batches, random erasing, warm-up). There is no centre loss.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reid.common.parameters import NotNegative, Share, Size, fault
from reid.networks.backbones import BACKBONES, keep_resolution
from reid.networks.ide import IDE


class StrongBaseline(IDE):
    """IDE with a triplet loss on the backbone's features, and batch normalisation (the neck) before the classifier.

    The neck's output is the embedding. With `neck: false`, `triplet_weight: 0`, `label_smoothing: 0`, `last_stride: 2`
    and IDE's training it is IDE, but for the classifier's bias.

    Example:
        >>> network = StrongBaseline(10, "mobilenet-v2", (64, 32), pretrained=False)
        >>> images, labels = torch.zeros(4, 3, 128, 64), torch.tensor([0, 0, 9, 9])
        >>> network.loss(images, labels).shape, network.embed(images).shape
        (torch.Size([4]), torch.Size([4, 1280]))
    """

    def __init__(
        self,
        classes: int,
        backbone: str = "resnet50",
        input_size: Size = (256, 128),
        crop_size: Size | None = None,
        dropout: Share = 0.0,
        freeze_batch_norm: bool = False,
        neck: bool = True,  # batch normalisation between features and classifier (BNNeck)
        triplet_weight: NotNegative = 1.0,  # of the triplet loss with the hardest images of the batch; softmax's is 1
        margin: NotNegative = 0.3,  # of the triplet loss
        unit_length: bool = False,  # whether it takes the features at length 1, which the paper does not
        label_smoothing: Share = 0.1,  # part of every image's label that is spread over all classes, at least
        last_stride: Literal[1, 2] = 1,  # of the backbone's last stage; 1: features of twice the resolution
        weights: str | None = None,
        pretrained: bool = True,
    ):
        super().__init__(classes, backbone, input_size, crop_size, dropout, freeze_batch_norm, weights, pretrained)
        if last_stride == 1:
            keep_resolution(self.backbone)
        self.neck = nn.BatchNorm1d(self.backbone.dimensions) if neck else nn.Identity()
        if isinstance(self.neck, nn.BatchNorm1d):
            self.neck.bias.requires_grad_(False)
        self.classifier.register_parameter("bias", None)
        self.triplet_weight, self.margin, self.label_smoothing = triplet_weight, margin, label_smoothing
        self.unit_length = unit_length

    @staticmethod
    def check_options(options: dict[str, Any]) -> None:
        """Raise ValueError as IDE does, where the last stride of a backbone is not known, or training collapses."""
        IDE.check_options(options)
        if options["freeze_batch_norm"] and options["triplet_weight"] > 0 and not options["unit_length"]:
            raise fault(
                "unit_length",
                "has to be true where freeze_batch_norm is: else the triplet loss makes all features zero",
            )
        if options["last_stride"] == 1 and options["backbone"] not in BACKBONES:
            raise fault("last_stride", f"can be 1 for {', '.join(BACKBONES)} only, not for {options['backbone']}")

    @staticmethod
    def check_training(training: dict[str, Any], options: dict[str, Any]) -> None:
        """Raise ValueError for options of the training loop that the network cannot learn with."""
        if options["triplet_weight"] > 0 and (sampling := training["sampling"]) != "balanced":
            raise fault("sampling", f"the triplet loss needs several images of a person: balanced, got {sampling}")

    def heads(self) -> list[tuple[nn.Module, float]]:
        """The layers after the backbone, and their learning rates as multiples of the classifier's."""
        return [*super().heads(), *([(self.neck, 1.0)] if isinstance(self.neck, nn.BatchNorm1d) else [])]

    def loss(self, images: Tensor, labels: Tensor, smoothing: Tensor | None = None) -> Tensor:
        """For each image (B,): softmax loss, plus the weighted triplet loss.

        Args:
            images: (B, 3, H, W) in [-1, 1].
            labels: (B,) classes.
            smoothing: (B,) as in IDE; `label_smoothing` where that is more.
        """
        features = self.features(images)
        spread = torch.full(labels.shape, self.label_smoothing, dtype=features.dtype, device=labels.device)
        smoothed = spread if smoothing is None else torch.maximum(smoothing.to(features.dtype), spread)
        identification = self._identification(self.neck(features), labels, smoothed)
        if self.triplet_weight == 0:
            return identification
        compared = F.normalize(features) if self.unit_length else features
        return identification + self.triplet_weight * hardest_triplets(compared, labels, self.margin)

    def embed(self, images: Tensor) -> Tensor:
        """Embeddings (B, D) of images (B, 3, H, W) in [-1, 1], after the neck; not normalised."""
        embedded: Tensor = self.neck(self.features(images))
        return embedded


def hardest_triplets(features: Tensor, labels: Tensor, margin: float) -> Tensor:
    """Triplet loss (B,) of each image with the farthest image of its class and the nearest of another, in its batch.

    max(0, margin + d(farthest own) - d(nearest other)), d Euclidean (Hermans et al., 2017). Where all images
    of the batch are of one class there is none.

    Args:
        features: (B, D).
        labels: (B,).
        margin: by which others should be farther than own ones.

    Example:
        >>> features = torch.tensor([[0.0], [1.0], [1.5]])
        >>> hardest_triplets(features, torch.tensor([0, 0, 1]), margin=0.3)
        tensor([0.0000, 0.8000, 0.0000])
    """
    squared = (features[:, None] - features[None]).square().sum(2)
    distances = squared.clamp(min=1e-12).sqrt()
    same = labels[:, None] == labels[None]
    farthest = distances.masked_fill(~same, 0).amax(1)
    nearest = distances.masked_fill(same, float("inf")).amin(1)
    return F.relu(margin + farthest - nearest)
