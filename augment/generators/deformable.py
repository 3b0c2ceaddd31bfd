"""Full and DSC: two encoder streams, the source's skip connections deformed into the target pose (Sec. 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from augment.batch import Batch
from augment.generators.blocks import (
    POSE_CHANNELS,
    SOURCE_CHANNELS,
    WARPED_LEVELS,
    Decoder,
    Encoder,
    decoder_filters,
    encoder_filters,
    initialise,
)
from augment.poses import Pose, heatmaps
from augment.warping import part_transforms, routes, warp


class Deformable(nn.Module):
    """Source stream on (x_a, H_a), target stream on H_b, fused in the decoder after the warp (Fig. 2)."""

    def __init__(
        self,
        size: tuple[int, int],  # (H, W) of the images
        width: float = 1.0,  # scales all numbers of filters; 1 is the paper's
    ):
        super().__init__()
        self.size = size
        filters = encoder_filters(size, width)
        self.source_encoder = Encoder(SOURCE_CHANNELS, filters)
        self.target_encoder = Encoder(POSE_CHANNELS, filters)
        self.decoder = Decoder(tuple(2 * count for count in filters), decoder_filters(size, width))
        initialise(self)

    def usable(self, source_pose: Pose, target_pose: Pose) -> Tensor:
        """(B,) bool: which pairs of poses it can draw: those that have both torsos."""
        return source_pose.has_torso() & target_pose.has_torso()

    def generate(self, batch: Batch) -> Tensor:
        """Images (B, 3, H, W) in [-1, 1] of the source people in the target poses."""
        image, pose = batch.single_source()
        source = self.source_encoder(torch.cat([image, heatmaps(pose, self.size)], 1))
        target = self.target_encoder(heatmaps(batch.target_pose, self.size))
        affine, masks = part_transforms(pose, batch.target_pose, self.size)
        for level in range(WARPED_LEVELS):
            source[level] = warp(source[level], routes(affine, masks, stride=2**level))
        return self.decoder([torch.cat(pair, 1) for pair in zip(source, target, strict=True)])
