"""IDE: the ID-discriminative embedding, a classifier over training identities whose last features are the embedding."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reid.networks.backbones import BACKBONES
from reid.networks.folding import fold


class IDE(nn.Module):
    """A backbone and one fully connected layer, trained with the softmax loss."""

    def __init__(
        self,
        classes: int,  # number of training identities
        backbone: str = "resnet50",  # key of BACKBONES
        input_size: tuple[int, int] = (224, 224),  # (H, W) that images are resized to, aspect ignored
        dropout: float = 0.0,  # before the classifier; 0 as released, 0.5 was found better later
        freeze_batch_norm: bool = True,  # keep ImageNet's statistics; scale and shift are trained, as released
        pretrained: bool = True,  # start from ImageNet weights
    ):
        super().__init__()
        self.backbone = BACKBONES[backbone](pretrained)
        self.classifier = nn.Linear(self.backbone.dimensions, classes)
        nn.init.normal_(self.classifier.weight, std=0.001)
        nn.init.zeros_(self.classifier.bias)
        self.input_size = input_size
        self.dropout = dropout
        if freeze_batch_norm:
            fold(self.backbone)

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        """Softmax loss (B,) of images (B, 3, H, W) in [-1, 1] with class labels (B,)."""
        features = F.dropout(self._features(images), self.dropout, self.training)
        return F.cross_entropy(self.classifier(features), labels, reduction="none")

    def embed(self, images: Tensor) -> Tensor:
        """Embeddings (B, D) of images (B, 3, H, W) in [-1, 1]; not normalised."""
        return self._features(images)

    def _features(self, images: Tensor) -> Tensor:
        if images.shape[2:] != torch.Size(self.input_size):
            images = F.interpolate(images, self.input_size, mode="bilinear", antialias=True)
        return self.backbone(images.contiguous(memory_format=torch.channels_last))
