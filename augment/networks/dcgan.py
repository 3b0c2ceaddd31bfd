"""The discriminator of DCGAN (Radford et al., 2016), which PG2 and DPIG use: one logit an image."""

from __future__ import annotations

import itertools

from torch import Tensor, nn
from torch.nn import functional as F

from augment.networks.blocks import scaled
from augment.networks.residual_unet import coarsest

FILTERS = 64
HALVINGS = 4
MOST = 8  # times as many filters as the first convolution has, at most
DEVIATION = 0.02  # of the initial weights


class DCGANDiscriminator(nn.Module):
    """5x5 convolutions of stride 2 with leaky ReLU and, but for the first, batch normalisation; a linear layer.

    Batch normalisation uses the statistics of the batch in training and evaluation alike, as released.

    Args:
        size: (H, W) of the images, which can be halved so often.
        width: scales all numbers of filters; 1 is the papers'.
        images: that are judged together, one behind the other in the channels.
        halvings: number of convolutions: four at 128 pixels, PG2's five at 256.
    """

    def __init__(self, size: tuple[int, int], width: float = 1.0, images: int = 1, halvings: int = HALVINGS):
        super().__init__()
        rows, columns = coarsest(size, halvings + 1)
        filters = [3 * images, *scaled(tuple(FILTERS * min(2**level, MOST) for level in range(halvings)), width)]
        self.convolutions = nn.ModuleList(nn.Conv2d(own, more, 5, 2, 2) for own, more in itertools.pairwise(filters))
        self.norms = nn.ModuleList(nn.BatchNorm2d(own, track_running_stats=False) for own in filters[2:])
        self.last = nn.Linear(filters[-1] * rows * columns, 1)
        for layer in (*self.convolutions, self.last):
            nn.init.normal_(layer.weight, 0.0, DEVIATION)
            nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B,) that images (B, 3, H, W), or several together (B, 3 images, H, W), are real."""
        x = F.leaky_relu(self.convolutions[0](images), 0.2)
        for convolution, norm in zip(list(self.convolutions)[1:], self.norms, strict=True):
            x = F.leaky_relu(norm(convolution(x)), 0.2)
        return self.last(x.flatten(1))[:, 0]
