"""Baseline: a U-Net on the concatenated source image, source pose and target pose (Sec. 5.7)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from augment.conventions import Convention
from augment.data.batch import Batch
from augment.networks.blocks import (
    BACKGROUND_CHANNELS,
    POSE_CHANNELS,
    SOURCE_CHANNELS,
    Decoder,
    Encoder,
    Start,
    decoder_filters,
    encoder_filters,
    initialise,
    pose_maps,
)


class UNet(nn.Module):
    """A U-Net: one encoder, and skip connections that leave features where they are."""

    def __init__(
        self,
        size: tuple[int, int],  # (H, W) of the images
        width: float = 1.0,  # scales all numbers of filters; 1 is the paper's
        background: bool = False,  # whether it is given the wanted background (Sec. 3.3)
        convention: Convention = "released",
        start: Start = "glorot",  # the initial weights
    ):
        super().__init__()
        self.size, self.background, self.convention = size, background, convention
        filters = encoder_filters(size, width, convention)
        channels = SOURCE_CHANNELS + POSE_CHANNELS + background * BACKGROUND_CHANNELS
        self.encoder = Encoder(channels, filters, convention)
        self.decoder = Decoder(filters, decoder_filters(size, width), convention)
        initialise(self, start)

    def forward(self, batch: Batch) -> Tensor:
        """Images (B, 3, H, W) in [-1, 1] of the source people in the target poses."""
        image, _ = batch.single_source()
        poses = pose_maps(batch, self.size, self.convention)
        background = [batch.wanted_background()] if self.background else []
        return self.decoder(self.encoder(torch.cat([image, *poses, *background], 1)))
