"""The guider: a Re-ID network that says how well a person is recognised in an image."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from reid.networks.ide import IDE


class Guider(IDE):
    """IDE, whose pretrained weights are loaded only where it is trained: who draws people needs no file of weights.

    Args:
        classes: identities that it tells apart.
        options: of IDE.
    """

    started: Tensor  # () bool, saved with the weights: whether they are more than random

    def __init__(self, classes: int, **options: Any):
        super().__init__(classes, **options, pretrained=False)
        self.options = options
        self.register_buffer("started", torch.tensor(False))

    def start(self) -> None:
        """Give the backbone its pretrained weights, unless it has got them, or those of another guider, before."""
        if not self.started:
            self.backbone.load_state_dict(IDE(1, **self.options).backbone.state_dict())
            self.started.fill_(True)

    def loss(self, images: Tensor, labels: Tensor, smoothing: Tensor | None = None) -> Tensor:
        """As IDE's; exact under autocast, too, where features come in bfloat16."""
        features = self.features(images).float()
        with torch.autocast(images.device.type, enabled=False):
            return self._identification(features, labels, smoothing)
