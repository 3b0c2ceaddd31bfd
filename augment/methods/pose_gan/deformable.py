"""Full and DSC: a generator with two encoder streams and deformable skip connections (Sec. 3)."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from augment.conventions import Convention
from augment.data.batch import Batch
from augment.geometry.warping import REGIONS, Gradient, Interpolation, Regions, part_transforms
from augment.methods.pose_gan.aggregation import AGGREGATIONS, Aggregation
from augment.networks.blocks import (
    BACKGROUND_CHANNELS,
    POSE_CHANNELS,
    SOURCE_CHANNELS,
    WARPED_LEVELS,
    Decoder,
    Encoder,
    Start,
    decoder_filters,
    encoder_filters,
    initialise,
    pose_maps,
)


class Deformable(nn.Module):
    """A source stream on (x_a, H_a), a target stream on H_b, and a decoder that joins them (Fig. 2).

    The source stream's features are where the body is in the source pose, but the decoder needs them where it is in the
    target pose. So its skip connections are warped, each body region by its own map, before they join those of the
    target stream, which is aligned with the output as it is. As released the four finest are, in the text all, here
    with the coarsest level, of which the text does not say that it is another.
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
        super().__init__()
        self.size, self.background, self.convention = size, background, convention
        self.regions, self.symmetry, self.stretch = regions, symmetry, stretch
        filters = encoder_filters(size, width, convention)
        self.source_encoder = Encoder(SOURCE_CHANNELS, filters, convention)
        self.target_encoder = Encoder(POSE_CHANNELS + background * BACKGROUND_CHANNELS, filters, convention)
        warped = filters if convention == "paper" else filters[:WARPED_LEVELS]
        self.deform = nn.ModuleList(
            AGGREGATIONS[aggregation](channels, REGIONS[regions], interpolation, gradient) for channels in warped
        )
        self.decoder = Decoder(tuple(2 * count for count in filters), decoder_filters(size, width), convention)
        initialise(self, start)

    def forward(self, batch: Batch) -> Tensor:
        """Images (B, 3, H, W) in [-1, 1] of the source people in the target poses."""
        image, pose = batch.single_source()
        source_maps, target_maps = pose_maps(batch, self.size, self.convention)
        source = self.source_encoder(torch.cat([image, source_maps], 1))
        background = [batch.wanted_background()] if self.background else []
        target = self.target_encoder(torch.cat([target_maps, *background], 1))
        affine, masks = part_transforms(
            pose, batch.target_pose, self.size, self.regions, self.symmetry, self.convention, self.stretch
        )
        for level, deform in enumerate(self.deform):
            source[level] = deform(source[level], affine, masks, stride=2**level)
        return self.decoder([torch.cat(pair, 1) for pair in zip(source, target, strict=True)])
