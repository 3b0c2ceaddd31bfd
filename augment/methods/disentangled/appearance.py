"""Stage I of DPIG: a person's look and what is behind as vectors, and the image that they give with a pose."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from augment.conventions import ReleasedOrPaper
from augment.geometry.body_regions import REGIONS, crop, region_boxes
from augment.geometry.discs import coarse_mask, discs
from augment.networks.residual_unet import WIDTH, Levels, Residual, ResidualUNet, coarsest
from augment.poses import Pose
from augment.poses.pose import JOINTS

LEVELS = 5  # of the U-Net, and of the encoder of backgrounds
CODE = 32  # dimensions of a body region
BACKGROUND_CODE = 4 * CODE
FOREGROUND_CODE = len(REGIONS) * CODE

Body = Literal["regions", "whole"]  # what foregrounds are encoded from: BodyROI7, or the paper's WholeBody


class Scale(NamedTuple):
    """What depends on the size of the images; all but the levels in pixels."""

    side: int  # of body regions, resized
    levels: int  # of their encoder
    disc: int  # radius of a joint's
    mask: int  # radius of the discs of the coarse mask
    margin: int  # of the box of a body region
    single_margin: int  # of one around a single joint


# By the longest side of images, at most. The second and the third are the released ones for 128x64 and 256x256. The
# first is half of the second, down to as many pixels at the coarsest level: the mask covers as much of an image.
SCALES = (
    (64, Scale(side=24, levels=4, disc=2, mask=3, margin=3, single_margin=5)),
    (128, Scale(side=48, levels=5, disc=4, mask=7, margin=6, single_margin=10)),
    (math.inf, Scale(side=64, levels=7, disc=4, mask=8, margin=10, single_margin=20)),
)


class Appearance(NamedTuple):
    """Embeddings of B images."""

    foreground: Tensor  # (B, 224): of seven body regions, 0 for those that are not visible, or of the whole body
    background: Tensor  # (B, 128); (B, 0) where backgrounds are no factor


class AppearanceEncoder(nn.Module):
    """A residual block on the image; then one encoder for all body regions of it, and another for what is behind.

    The coarse mask of the person separates both in the feature maps, not in the image, which is kinder to its errors.

    Args:
        size: (H, W) of the images.
        width: channels of the first level; 128 is the paper's.
        convention: as released the embedding of a region that is not visible is 0; in the text it is none of its own.
        backgrounds: whether what is behind is a factor; without (the paper's variant for DeepFashion) no mask separates
            anything.
        body: `regions`, seven of them with one encoder; `whole`, all of the person at once, with an encoder of its
            own, which the paper compares with.
    """

    def __init__(
        self,
        size: tuple[int, int],
        width: int = WIDTH,
        convention: ReleasedOrPaper = "released",
        body: Body = "regions",
        backgrounds: bool = True,
    ):
        super().__init__()
        self.size, self.convention, self.body, self.backgrounds = size, convention, body, backgrounds
        self.scale = scale_of(size)
        levels, side = self.scale.levels, self.scale.side
        self.first = nn.Conv2d(3, width, 3, 1, 1)
        self.block = Residual(width)
        self.region_levels = Levels(width, levels)
        seen, code = ((side, side), CODE) if body == "regions" else (size, FOREGROUND_CODE)
        self.to_region = nn.Linear(levels * width * math.prod(coarsest(seen, levels)), code)
        if backgrounds:
            self.background_levels = Levels(width, LEVELS)
            self.to_background = nn.Linear(LEVELS * width * math.prod(coarsest(size, LEVELS)), BACKGROUND_CODE)

    def forward(self, images: Tensor, poses: Pose) -> Appearance:
        """The embeddings of images (B, 3, H, W) in [-1, 1] of people in poses (B, 18)."""
        maps, person = self._maps(images, poses)
        return Appearance(self._foreground(maps, person, poses), self._background(maps, person))

    def foreground(self, images: Tensor, poses: Pose) -> Tensor:
        """Foreground embeddings (B, 224) alone of images (B, 3, H, W) in [-1, 1] of people in poses (B, 18)."""
        return self._foreground(*self._maps(images, poses), poses)

    def background(self, images: Tensor, poses: Pose) -> Tensor:
        """Background embeddings (B, 128) alone of images (B, 3, H, W) in [-1, 1] of people in poses (B, 18)."""
        return self._background(*self._maps(images, poses))

    def _maps(self, images: Tensor, poses: Pose) -> tuple[Tensor, Tensor]:
        """Features (B, width, H, W), and where the person is, (B, 1, H, W) bool."""
        maps: Tensor = self.block(F.relu(self.first(images)))
        return maps, coarse_mask(poses, self.size, self.scale.mask)[:, None]

    def _foreground(self, maps: Tensor, person: Tensor, poses: Pose) -> Tensor:
        if self.backgrounds:
            maps = maps * person
        if self.body == "whole":
            whole: Tensor = self.to_region(self.region_levels(maps)[-1].flatten(1))
            return whole
        boxes, visible = region_boxes(poses, self.size, self.scale.margin, self.scale.single_margin)
        crops = crop(maps, boxes, self.scale.side)
        if self.convention == "paper":  # one of nothing where a region is not visible
            crops = crops * visible.flatten()[:, None, None, None]
        regions = self.region_levels(crops)[-1].flatten(1)
        codes = self.to_region(regions).unflatten(0, visible.shape)
        if self.convention != "paper":
            codes = codes * visible[..., None]
        return codes.flatten(1)

    def _background(self, maps: Tensor, person: Tensor) -> Tensor:
        if not self.backgrounds:
            return maps.new_zeros(len(maps), 0)
        codes: Tensor = self.to_background(self.background_levels(maps * ~person)[-1].flatten(1))
        return codes


class Composer(nn.Module):
    """The image of an appearance in a pose: a U-Net on the discs of the pose and, at each pixel, both embeddings.

    Args:
        size: (H, W) of the images.
        width: channels of the first level; 128 is the paper's.
        backgrounds: whether what is behind is a factor.
    """

    def __init__(self, size: tuple[int, int], width: int = WIDTH, backgrounds: bool = True):
        super().__init__()
        self.size, self.radius = size, scale_of(size).disc
        codes = FOREGROUND_CODE + BACKGROUND_CODE * backgrounds
        self.unet = ResidualUNet(size, codes + len(JOINTS), width, LEVELS)

    def forward(self, appearance: Appearance, poses: Pose) -> Tensor:
        """Images (B, 3, H, W), about in [-1, 1], of appearances in poses (B, 18)."""
        first = self.unet.first
        codes = torch.cat(appearance, 1)
        split = (codes.shape[1], len(JOINTS))
        of_codes, of_pose = first.weight.split(split, 1)
        maps = F.conv2d(discs(poses, self.size, self.radius).to(codes.dtype), of_pose, first.bias, padding=1)
        images: Tensor = self.unet.after_first(maps + _of_constant(codes, of_codes, self.size))
        return images


def scale_of(size: tuple[int, int]) -> Scale:
    """The scale of images of (H, W)."""
    return next(scale for most, scale in SCALES if max(size) <= most)


def _of_constant(values: Tensor, weight: Tensor, size: tuple[int, int]) -> Tensor:
    """What a 3x3 convolution, padded with zeros, gives for maps that are constant, without making these maps.

    At most nine results differ: inside, at each edge and in each corner, by which of the kernel's taps are inside.

    Args:
        values: (B, C) of the maps.
        weight: (C', C, 3, 3) of the convolution.
        size: (H, W) of the maps, both at least 2.

    Returns:
        (B, C', H, W).
    """
    taps = torch.einsum("bc,dcyx->bdyx", values, weight)
    rows = torch.stack([taps[:, :, 1:].sum(2), taps.sum(2), taps[:, :, :2].sum(2)], 2)  # first row, inside, last
    cells = torch.stack([rows[..., 1:].sum(3), rows.sum(3), rows[..., :2].sum(3)], 3)  # (B, C', 3, 3)
    which = [torch.ones(length, dtype=torch.long, device=values.device) for length in size]
    for index in which:
        index[0], index[-1] = 0, 2
    return cells[:, :, which[0]][:, :, :, which[1]]
