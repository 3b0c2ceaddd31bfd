"""The siamese network of "A Discriminatively Learned CNN Embedding" (Zheng et al., TOMM 2017).

One backbone sees both images of a pair. Each is classified by identity, as in IDE; and a second classifier tells from
the squared difference of their features (the square layer) whether both show the same person.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reid.common.parameters import NotNegative, Rate, Share, Size, fault
from reid.networks.ide import IDE, Distribution, initialise, linear


class Siamese(IDE):
    """IDE with verification of pairs; embeds single images as IDE does.

    The defaults are the recipe behind the journal paper's Table 4. The original's: dropout 0.9, freeze_batch_norm
    false, verification_weight 1, classifier_distribution uniform with classifier_deviation 0.00221; docs/fidelity.md
    has the training of both.
    """

    def __init__(
        self,
        classes: int,
        backbone: str = "resnet50",
        input_size: Size = (256, 256),
        crop_size: Size | None = (224, 224),
        dropout: Share = 0.0,  # before both classifiers
        freeze_batch_norm: bool = True,
        verification_weight: Rate = 0.5,  # of the verification loss; identification's is 1
        verifier_rate: Rate = 1.0,  # the verifier's learning rate, as a multiple of the classifier's
        classifier_deviation: NotNegative = 0.01,  # of the initial weights of both classifiers
        classifier_distribution: Distribution = "normal",  # theirs: normal or uniform
        weights: str | None = None,
        pretrained: bool = True,
    ):
        shared = (input_size, crop_size, dropout, freeze_batch_norm, weights, pretrained)
        super().__init__(classes, backbone, *shared)
        initialise(self.classifier, classifier_deviation, classifier_distribution)
        self.verifier = linear(self.backbone.dimensions, 2, classifier_deviation, classifier_distribution)
        self.verification_weight, self.verifier_rate = verification_weight, verifier_rate

    @staticmethod
    def check_training(training: dict[str, Any], options: dict[str, Any]) -> None:
        """Raise ValueError for options of the training loop that the network cannot learn with."""
        if (sampling := training["sampling"]) not in ("drawn", "counted"):
            raise fault("sampling", f"a siamese network learns from pairs: drawn or counted, got {sampling}")

    def heads(self) -> list[tuple[nn.Module, float]]:
        """The layers after the backbone, and their learning rates as multiples of the classifier's."""
        return [*super().heads(), (self.verifier, self.verifier_rate)]

    def loss(self, images: Tensor, labels: Tensor, smoothing: Tensor | None = None) -> Tensor:
        """For each pair (P,): mean softmax loss of its two images, plus the weighted softmax loss of its verification.

        Args:
            images: (2P, 3, H, W) in [-1, 1], the pairs' first images, then their second.
            labels: (2P,) classes.
            smoothing: (2P,) as in IDE; not for verification.
        """
        features = self.features(images)
        first, second = features.chunk(2)
        identification = self._identification(features, labels, smoothing).view(2, -1).mean(0)
        difference = F.dropout((first - second) ** 2, self.dropout, self.training)
        same = torch.eq(*labels.chunk(2)).long()
        verification = F.cross_entropy(self.verifier(difference), same, reduction="none")
        return identification + self.verification_weight * verification
