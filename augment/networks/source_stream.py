"""The source stream of Deformable GANs: an encoder whose features are brought to where the target pose has them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from augment.conventions import Convention
from augment.data.batch import Batch
from augment.geometry.warping import REGIONS, Gradient, Interpolation, Regions, part_transforms
from augment.networks.aggregation import AGGREGATIONS, Aggregation
from augment.networks.blocks import SOURCE_CHANNELS, WARPED_LEVELS, Encoder, encoder_filters


class WithSourceStream(nn.Module):
    """The base of generators with an encoder on (x_a, H_a) whose levels are warped (Sec. 3).

    The features are where the body is in the source pose. They are warped, each body region by its own map, to where it
    is in the target pose: as released those of the four finest levels, in the text all. The text does not say that the
    coarsest is another.
    """

    def __init__(
        self,
        size: tuple[int, int],  # (H, W) of the images
        width: float,  # scales all numbers of filters
        aggregation: Aggregation,  # how the regions are combined: Eq. 4, or another of Table 6
        regions: Regions,  # ten with masks, ten without (Table 11), or the whole body as one
        symmetry: bool,  # read a limb unknown in the source from its twin (Sec. 4.2, Table 9)
        interpolation: Interpolation,  # of the warp
        gradient: Gradient,  # of the warp
        stretch: float | None,  # most that a region may be stretched
        convention: Convention,
        deformed: bool = True,  # whether anything is warped
    ):
        super().__init__()
        self.size, self.convention = size, convention
        self.regions, self.symmetry, self.stretch = regions, symmetry, stretch
        filters = encoder_filters(size, width, convention)
        self.source_encoder = Encoder(SOURCE_CHANNELS, filters, convention)
        warped = filters if convention == "paper" else filters[:WARPED_LEVELS]
        warped = warped if deformed else ()
        self.deform = nn.ModuleList(
            AGGREGATIONS[aggregation](channels, REGIONS[regions], interpolation, gradient) for channels in warped
        )

    def source_levels(self, batch: Batch, source_maps: Tensor) -> list[Tensor]:
        """The encoder's levels, fine to coarse, of samples with a single source each, warped to the target pose.

        Args:
            batch: with a single source a sample.
            source_maps: (B, 18, H, W) heat maps of the source poses.
        """
        image, pose = batch.single_source()
        levels = self.source_encoder(torch.cat([image, source_maps], 1))
        if not len(self.deform):
            return levels
        affine, masks = part_transforms(
            pose, batch.target_pose, self.size, self.regions, self.symmetry, self.convention, self.stretch
        )
        for level, deform in enumerate(self.deform):
            levels[level] = deform(levels[level], affine, masks, stride=2**level)
        return levels
