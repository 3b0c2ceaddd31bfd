"""Deformable skip connections: the masked warp of each region (Eq. 3), and a fast one with the maximum (Eq. 4).

Convention: affine maps go from target pixels to source pixels, x then y, the centre of the top left pixel being (0, 0);
zero is read outside of the source. At a feature map of stride s the pixel (x, y) stands for the image's pixel
(s x, s y): translations are divided by s, masks are read at every s-th pixel.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from augment.conventions import Convention
from augment.geometry.affine import fit_affine
from augment.geometry.body_parts import PARTS, correspondences, region_masks, source_masks, whole_body
from augment.poses.pose import Pose
from reid.common.errors import InputError

Regions = Literal["parts", "unmasked", "whole"]
Interpolation = Literal["nearest", "bilinear"]
REGIONS: dict[Regions, int] = {"parts": len(PARTS), "unmasked": len(PARTS), "whole": 1}  # how many there are

# For the r-th region that covers a pixel: (rows of the result, rows of the features), counted over (B, H, W).
Routes = list[tuple[Tensor, Tensor]]


def part_transforms(
    source_pose: Pose,
    target_pose: Pose,
    size: tuple[int, int],
    regions: Regions = "parts",
    symmetry: bool = True,
    convention: Convention = "released",
) -> tuple[Tensor, Tensor]:
    """Affine map and mask of each of P body regions.

    Args:
        source_pose: (B, 18) pose of the source image.
        target_pose: (B, 18) pose of the target image.
        size: (H, W) of both images.
        regions: `parts`, the ten of Sec. 3.1; `unmasked`, the same ten, each over the whole image (Table 11); `whole`,
            one map fitted to torso and knees, over the whole image.
        symmetry: whether a limb missing from the source is taken from its twin (Sec. 4.2, Table 9).
        convention: sizes of the regions, and whether masks are drawn in the target (released) or the source (Eq. 3).

    Returns:
        affine (B, P, 2, 3) float64, target to source pixels; masks (B, P, H, W) bool, in the target image.
    """
    targets, sources, weights = (
        whole_body(source_pose, target_pose)
        if regions == "whole"
        else correspondences(source_pose, target_pose, symmetry, convention)
    )
    affine = fit_affine(targets, sources, weights)
    if regions != "parts":
        return affine, (weights.sum(-1) >= 3)[..., None, None].expand(-1, -1, *size)
    if convention == "paper":
        return affine, source_masks(affine, sources[:, :, :4], size)
    return affine, region_masks(target_pose, size)


def part_maps(
    features: Tensor, affine: Tensor, masks: Tensor, stride: int = 1, interpolation: Interpolation = "nearest"
) -> Tensor:
    """F'_h: the feature map warped by each region's affine map, inside its mask (Eq. 3).

    The gradient is the adjoint of the reading: what was read from a pixel goes back to it.

    Args:
        features: (B, C, h, w) of the source stream.
        affine: (B, P, 2, 3) target to source pixels of the image.
        masks: (B, P, H, W) bool, in the target image.
        stride: of the feature map with respect to the image.
        interpolation: `nearest` pixel, or `bilinear` between the four around; outside of the map is zero.

    Returns:
        (B, P, C, h, w).
    """
    masks = masks[:, :, ::stride, ::stride]
    x, y = _source_pixels(affine, (masks.shape[2], masks.shape[3]), stride)
    if interpolation == "nearest":
        return _read(features, x.round(), y.round()) * masks[:, :, None]
    if interpolation != "bilinear":
        raise InputError(f"interpolation must be nearest or bilinear, got {interpolation!r}")
    left, top = x.floor(), y.floor()
    right_share, lower_share = (x - left)[:, :, None].to(features.dtype), (y - top)[:, :, None].to(features.dtype)
    upper = _read(features, left, top) * (1 - right_share) + _read(features, left + 1, top) * right_share
    lower = _read(features, left, top + 1) * (1 - right_share) + _read(features, left + 1, top + 1) * right_share
    return (upper * (1 - lower_share) + lower * lower_share) * masks[:, :, None]


def _source_pixels(affine: Tensor, size: tuple[int, int], stride: int) -> tuple[Tensor, Tensor]:
    """X and y, each (B, P, h, w), that the pixels of a feature map of this size and stride come from."""
    height, width = size
    x = torch.arange(width, device=affine.device, dtype=affine.dtype)
    y = torch.arange(height, device=affine.device, dtype=affine.dtype)
    source = (
        affine[..., 0, None, None] * x
        + affine[..., 1, None, None] * y[:, None]
        + (affine[..., 2] / stride)[..., None, None]
    )
    return source[:, :, 0], source[:, :, 1]


def _read(features: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Features (B, C, h, w) at whole pixels (B, P, h, w): (B, P, C, h, w), zero outside."""
    batch, channels, height, width = features.shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    index = torch.where(inside, y * width + x, 0).long().flatten(1)
    read = features.flatten(2).gather(2, index[:, None].expand(-1, channels, -1))
    return read.view(batch, channels, *x.shape[1:]).transpose(1, 2) * inside[:, :, None]


def routes(affine: Tensor, masks: Tensor, stride: int = 1) -> Routes:
    """Which source row each target pixel reads from, for each region that covers it.

    Only covered pixels that fall inside the source are listed: ten masked copies of a feature map hold about eight
    times more zeros than values. The r-th entry has the r-th region to cover each pixel, so no entry names a result row
    twice.

    Args:
        affine: (B, P, 2, 3) target to source pixels of the image.
        masks: (B, P, H, W) bool, in the target image.
        stride: of the feature map with respect to the image.

    Returns:
        pairs (rows of the result, rows of the features), int64.
    """
    masks = masks[:, :, ::stride, ::stride]
    batch, parts, height, width = masks.shape
    source_x, source_y = (pixels.round_() for pixels in _source_pixels(affine.float(), (height, width), stride))
    read = masks & (source_x >= 0) & (source_x < width) & (source_y >= 0) & (source_y < height)
    first_row = torch.arange(batch, device=affine.device)[:, None, None, None] * (height * width)
    features = torch.where(read, source_y * width + source_x, 0).long() + first_row
    result = torch.arange(height * width, device=affine.device).view(1, 1, height, width) + first_row
    result = result.expand(batch, parts, height, width)
    order = torch.where(read, read.cumsum(1) - 1, -1)
    deepest = int(order.max()) + 1
    return [(result[order == rank], features[order == rank]) for rank in range(deepest)]


def warp(features: Tensor, covering: Routes) -> Tensor:
    """d(F): the maximum over regions of the masked, warped feature map (Eq. 3 and 4).

    Differentiable in the features: the gradient goes to the pixel that won, to the first region's where two are equal.

    Args:
        features: (B, C, H, W) of the source stream.
        covering: `routes` at this map's stride.

    Returns:
        (B, C, H, W).
    """
    return _MaximumOfRoutes.apply(features, covering)


class _MaximumOfRoutes(torch.autograd.Function):
    """Gathers rows of C channels; keeps the features and the result instead of one map a region."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, covering: Routes) -> Tensor:
        rows = _rows(features)
        result = torch.zeros_like(rows)
        for rank, (to, come) in enumerate(covering):
            value = rows.index_select(0, come)
            # Some mask is zero at every pixel, so zero takes part in the maximum.
            best = value.clamp_min_(0) if rank == 0 else torch.maximum(result.index_select(0, to), value)
            result.index_copy_(0, to, best)
        ctx.save_for_backward(rows, result)
        ctx.covering, ctx.shape = covering, features.shape
        return _maps(result, features.shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        rows, result = ctx.saved_tensors
        remaining = _rows(gradients[0]) * (result > 0)
        gradient = torch.zeros_like(rows)
        for rank, (to, come) in enumerate(ctx.covering):
            won = rows.index_select(0, come) == result.index_select(0, to)
            share = remaining.index_select(0, to) * won
            gradient.index_add_(0, come, share)
            if rank + 1 < len(ctx.covering):
                remaining.index_add_(0, to, share, alpha=-1)
        return _maps(gradient, ctx.shape), None


def _rows(maps: Tensor) -> Tensor:
    """(B, C, H, W) to (B H W, C); no copy in channels-last memory."""
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])


def _maps(rows: Tensor, shape: torch.Size) -> Tensor:
    """(B H W, C) to (B, C, H, W) in channels-last memory."""
    batch, channels, height, width = shape
    return rows.view(batch, height, width, channels).permute(0, 3, 1, 2)
