"""The generator from several sources: the pose-based encoder (Sec. 3.3) and a decoder that fuses what it gives."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from augment.conventions import Convention
from augment.data.batch import Batch
from augment.geometry.warping import Gradient, Interpolation, Regions
from augment.methods.multi_source.attention import AttentionDecoder, Fusion, mean_of_sources
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


class MultiSource(WithSourceStream):
    """An encoder of two streams for each source, and a decoder that fuses the sources (Fig. 2 and 3).

    The source stream, on (x_i, H_i), is warped to the target pose; the pose stream, on (H_i, H_target), compares both
    poses. The sources are fused by attention, or averaged (the paper's Avg).
    """

    def __init__(
        self,
        size: tuple[int, int],  # (H, W) of the images
        width: float = 1.0,  # scales all numbers of filters; 1 is the paper's
        fusion: Fusion = "full",  # of the sources: full, spatial (Att. 2D) or average (Avg) of Table 2
        deformed: bool = True,  # whether the source stream is warped; if not (Avg No-d), the next six do nothing
        aggregation: Aggregation = "maximum",  # how the regions are combined
        regions: Regions = "parts",  # ten with masks, ten without, or the whole body as one
        symmetry: bool = True,  # read a limb unknown in the source from its twin
        interpolation: Interpolation = "nearest",  # of the warp
        gradient: Gradient = "adjoint",  # of the warp
        stretch: Annotated[float, Field(ge=1)] | None = None,  # most that a region may be stretched; None: as released
        background: bool = False,  # whether the pose stream is given the wanted background
        convention: Convention = "released",
        start: Start = "glorot",  # the initial weights
    ):
        super().__init__(
            size, width, aggregation, regions, symmetry, interpolation, gradient, stretch, convention, deformed
        )
        self.background = background
        filters = encoder_filters(size, width, convention)
        self.pose_encoder = Encoder(2 * POSE_CHANNELS + background * BACKGROUND_CHANNELS, filters, convention)
        levels, ups = tuple(2 * count for count in filters), decoder_filters(size, width)
        self.decoder: AttentionDecoder | Decoder = (
            Decoder(levels, ups, convention)
            if fusion == "average"
            else AttentionDecoder(levels, ups, fusion, convention)
        )
        initialise(self, start)

    def forward(self, batch: Batch) -> Tensor:
        """Images (B, 3, H, W) in [-1, 1] of the source people in the target poses."""
        return self.drawn(batch)[0]

    def drawn(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Images (B, 3, H, W), and the attention (V, H, W) of each valid source in the order of `Batch.by_source`.

        Without attention, where sources are averaged, that is None.
        """
        single, whose = batch.by_source()
        source_maps, target_maps = pose_maps(single, self.size, self.convention)
        background = [single.wanted_background()] if self.background else []
        poses = self.pose_encoder(torch.cat([source_maps, target_maps, *background], 1))
        levels = [torch.cat(pair, 1) for pair in zip(self.source_levels(single, source_maps), poses, strict=True)]
        if isinstance(self.decoder, Decoder):
            return self.decoder([mean_of_sources(level, whose, len(batch)) for level in levels]), None
        images, attention = self.decoder(levels, whose, len(batch))
        return images, attention
