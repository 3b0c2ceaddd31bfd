"""The discriminator D(x_a, H_a, y, H_b) (Sec. 3, Fig. 2): a probability for each of a few patches (one in the text)."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from augment.conventions import Convention
from augment.data.batch import Batch
from augment.networks.blocks import BACKGROUND_CHANNELS, SOURCE_CHANNELS, Down, Start, initialise, pose_maps, scaled


class Discriminator(nn.Module):
    """Convolutions of stride 2 down to 3 x 1 patches at 128x64, 7 x 7 at 256x256.

    Where a side is below 64 pixels there are fewer of them.

    It also sees the source image and both poses, so that an image only passes as real if it shows that person in the
    target pose.

    The text's output is a scalar, of layers that leave a map of patches (Sec. 4.3), and it does not say how: here it is
    the mean of the patches' probabilities.
    """

    def __init__(
        self,
        size: tuple[int, int],  # (H, W) of the images
        width: float = 1.0,  # scales all numbers of filters; 1 is the paper's
        background: bool = False,  # whether it sees the wanted background too (Sec. 3.3)
        convention: Convention = "released",
        start: Start = "glorot",  # the initial weights
    ):
        super().__init__()
        self.size, self.background, self.convention = size, background, convention
        halvings = (min(size) // 2 - 1).bit_length() - 1  # that fit after the first
        filters = scaled((64, 128, 256, 512)[:halvings], width)
        norm = convention != "paper"
        self.first = nn.Conv2d(2 * SOURCE_CHANNELS + background * BACKGROUND_CHANNELS, filters[0], 4, 2)
        self.downs = nn.Sequential(
            *(Down(before, after, convention, norm) for before, after in itertools.pairwise(filters)),
            Down(filters[-1], 1, convention, norm=False),
        )
        initialise(self, start)

    def forward(self, batch: Batch, image: Tensor) -> Tensor:
        """Probability that `image` (B, 3, H, W) is real, given the batch's sources and poses.

        Returns:
            (B, patches) in [0, 1]; (B, 1) in the text.
        """
        source, _ = batch.single_source()
        source_maps, target_maps = pose_maps(batch, self.size, self.convention)
        background = [batch.wanted_background()] if self.background else []
        x = torch.cat([source, source_maps, image, target_maps, *background], 1)
        patches = torch.sigmoid(self.downs(self.first(x)).float()).flatten(1)
        return patches.mean(1, keepdim=True) if self.convention == "paper" else patches
