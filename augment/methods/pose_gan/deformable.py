"""Full and DSC: a generator with two encoder streams and deformable skip connections (Sec. 3)."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from augment.conventions import Convention
from augment.data.batch import Batch
from augment.geometry.warping import Gradient, Interpolation, Regions
from augment.networks.aggregation import Aggregation
from augment.networks.blocks import (
    BACKGROUND_CHANNELS,
    POSE_CHANNELS,
    Decoder,
    Encoder,
    Start,
    decoder_filters,
    encoder_filters,
    initialise,
    pose_maps,
)
from augment.networks.source_stream import WithSourceStream


class Deformable(WithSourceStream):
    """A source stream on (x_a, H_a), a target stream on H_b, and a decoder that joins them (Fig. 2).

    The decoder's skip connections are the source stream's features, warped to the target pose, and those of the target
    stream, which is aligned with the output as it is.
    """

    def __init__(
        self,
        size: tuple[int, int],  # (H, W) of the images
        width: float = 1.0,  # scales all numbers of filters; 1 is the paper's
        aggregation: Aggregation = "maximum",  # how the regions are combined: Eq. 4, or another of Table 6
        regions: Regions = "parts",  # ten with masks, ten without (Table 11), or the whole body as one
        symmetry: bool = True,  # read a limb unknown in the source from its twin (Sec. 4.2, Table 9)
        interpolation: Interpolation = "nearest",  # of the warp
        gradient: Gradient = "adjoint",  # of the warp: the true one, or that of the released code
        stretch: Annotated[float, Field(ge=1)] | None = None,  # most that a region may be stretched; None: as released
        background: bool = False,  # whether the target stream is given the wanted background (Sec. 3.3)
        convention: Convention = "released",
        start: Start = "glorot",  # the initial weights
    ):
        super().__init__(size, width, aggregation, regions, symmetry, interpolation, gradient, stretch, convention)
        self.background = background
        filters = encoder_filters(size, width, convention)
        self.target_encoder = Encoder(POSE_CHANNELS + background * BACKGROUND_CHANNELS, filters, convention)
        self.decoder = Decoder(tuple(2 * count for count in filters), decoder_filters(size, width), convention)
        initialise(self, start)

    def forward(self, batch: Batch) -> Tensor:
        """Images (B, 3, H, W) in [-1, 1] of the source people in the target poses."""
        source_maps, target_maps = pose_maps(batch, self.size, self.convention)
        source = self.source_levels(batch, source_maps)
        background = [batch.wanted_background()] if self.background else []
        target = self.target_encoder(torch.cat([target_maps, *background], 1))
        return self.decoder([torch.cat(pair, 1) for pair in zip(source, target, strict=True)])
