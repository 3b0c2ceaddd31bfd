"""Deformable skip connections: warp and mask a feature map for each region (Eq. 3), combine by the maximum (Eq. 4).

`part_maps` is Eq. 3 alone, for every way to combine the regions. `routes` and `warp` do Eq. 3 and 4 in one step, for
nearest interpolation and the maximum: they read no pixel that the masks would set to zero.

Convention: affine maps go from target pixels to source pixels, x then y, the centre of the top left pixel being (0, 0);
outside of the source, zero is read. At a feature map of stride s the pixel (x, y) stands for the image's pixel
(s x, s y): translations are divided by s, masks are read at every s-th pixel.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
from torch import Tensor

from augment.conventions import Convention
from augment.geometry.affine import fit_affine, limit_stretch
from augment.geometry.body_parts import PARTS, correspondences, region_masks, source_masks, whole_body
from augment.poses.pose import Pose
from reid.common.errors import InputError

Regions = Literal["parts", "unmasked", "whole"]
Interpolation = Literal["nearest", "bilinear"]
Gradient = Literal["adjoint", "released"]
REGIONS: dict[Regions, int] = {"parts": len(PARTS), "unmasked": len(PARTS), "whole": 1}  # number of regions P

# Which source pixel each target pixel reads for each region that covers it, as (target indices, source indices). An
# index counts the pixels of the whole batch: (b H + y) W + x. A target pixel covered by k regions is in the first k
# pairs, with the first such region's source pixel in the first pair, and so on.
Routes = list[tuple[Tensor, Tensor]]


def part_transforms(
    source_pose: Pose,
    target_pose: Pose,
    size: tuple[int, int],
    regions: Regions = "parts",
    symmetry: bool = True,
    convention: Convention = "released",
    stretch: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Affine map and mask of each of P body regions (Sec. 3.1).

    Args:
        source_pose: (B, 18) pose of the source image.
        target_pose: (B, 18) pose of the target image.
        size: (H, W) of both images.
        regions: `parts`, the ten of Sec. 3.1; `unmasked`, the same ten, each over the whole image (Table 11); `whole`,
            one map fitted to torso and knees, over the whole image.
        symmetry: whether a limb unknown in the source is read from its twin of the other side (Sec. 4.2, Table 9).
        convention: `paper` has the text's sizes of the regions, fit of the maps, and masks, which are defined in the
            source image (Eq. 3) and not in the target.
        stretch: largest factor by which a map may stretch or shrink: `limit_stretch` around the mean of the region's
            points. None: any, as released.

    Returns:
        affine (B, P, 2, 3) float64, target to source pixels; masks (B, P, H, W) bool, in the target image.

    Example:
        >>> import torch
        >>> from augment.geometry import part_transforms
        >>> from augment.poses import TORSO, Pose
        >>> joints, visible = torch.zeros(1, 18, 2), torch.zeros(1, 18, dtype=torch.bool)
        >>> joints[0, list(TORSO)] = torch.tensor([[24.0, 60], [40, 60], [40, 30], [24, 30]])  # hips, shoulders
        >>> visible[0, list(TORSO)] = True
        >>> source, target = Pose(joints, visible), Pose(joints + torch.tensor([8.0, 0]), visible)
        >>> affine, masks = part_transforms(source, target, size=(128, 64))
        >>> affine.shape, masks.shape
        (torch.Size([1, 10, 2, 3]), torch.Size([1, 10, 128, 64]))
        >>> point = torch.tensor([40.0, 45, 1]).double()  # the target's torso is 8 pixels further to the right
        >>> (affine[0, 0] @ point).round(decimals=3)
        tensor([32., 45.], dtype=torch.float64)
        >>> masks[0].sum((1, 2))  # the torso's mask is the whole image; the other regions lack their joints
        tensor([8192,    0,    0,    0,    0,    0,    0,    0,    0,    0])
    """
    targets, sources, weights = (
        whole_body(source_pose, target_pose)
        if regions == "whole"
        else correspondences(source_pose, target_pose, symmetry, convention)
    )
    affine = fit_affine(targets, sources, weights, convention)
    if stretch is not None:
        points = weights.sum(-1, keepdim=True).clamp_min(1)
        affine = limit_stretch(affine, (targets * weights[..., None]).sum(-2) / points, stretch)
    if regions != "parts":
        return affine, (weights.sum(-1) >= 3)[..., None, None].expand(-1, -1, *size)
    if convention == "paper":
        return affine, source_masks(affine, sources[:, :, :4], size)
    return affine, region_masks(target_pose, size)


def part_maps(
    features: Tensor,
    affine: Tensor,
    masks: Tensor,
    stride: int = 1,
    interpolation: Interpolation = "nearest",
    gradient: Gradient = "adjoint",
) -> Tensor:
    """F'_h: the feature map warped by each region's affine map, zero outside the region's mask (Eq. 3).

    Args:
        features: (B, C, h, w) of the source stream.
        affine: (B, P, 2, 3) target to source pixels of the image.
        masks: (B, P, H, W) bool, in the target image.
        stride: of the feature map with respect to the image.
        interpolation: `nearest` pixel, or `bilinear` between the four around; outside of the map is zero.
        gradient: `adjoint`, the true one: what arrives at a target pixel goes back to the source pixels that it was
            read from. `released`, that of the released code's warp: a source pixel reads what arrives at the target
            pixel that the inverse map takes it to. So nothing is summed where a region shrinks, and nothing is left
            out where it grows. It needs invertible maps, as those of `part_transforms` are.

    Returns:
        (B, P, C, h, w).
    """
    if interpolation not in get_args(Interpolation):
        raise InputError(f"interpolation of the warp: expected nearest or bilinear, got {interpolation!r}")
    if gradient not in get_args(Gradient):
        raise InputError(f"gradient of the warp: expected adjoint or released, got {gradient!r}")
    masks = masks[:, :, ::stride, ::stride]
    warp_each = _warp_each if gradient == "adjoint" else _ReleasedGradient.apply
    return warp_each(features, affine, stride, interpolation) * masks[:, :, None]


class _ReleasedGradient(torch.autograd.Function):
    """`_warp_each` with the released code's gradient: each region's gradient, warped by the inverse of its map."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, affine: Tensor, stride: int, interpolation: Interpolation) -> Tensor:
        ctx.affine, ctx.stride, ctx.interpolation = affine, stride, interpolation
        return _warp_each(features, affine, stride, interpolation)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        linear, shift = ctx.affine[..., :2], ctx.affine[..., 2:]
        back = torch.linalg.inv(linear)
        inverse = torch.cat([back, -back @ shift], -1)
        # Each region's gradient is a map of its own, which has one inverse.
        arriving = gradients[0].flatten(0, 1)
        warped = _warp_each(arriving, inverse.flatten(0, 1)[:, None], ctx.stride, ctx.interpolation)
        return warped.view_as(gradients[0]).sum(1), None, None, None


def _warp_each(features: Tensor, affine: Tensor, stride: int, interpolation: Interpolation) -> Tensor:
    """The feature map (B, C, h, w) read through each region's map (B, P, 2, 3), unmasked: (B, P, C, h, w)."""
    x, y = _source_pixels(affine, (features.shape[2], features.shape[3]), stride)
    if interpolation == "nearest":
        return _read(features, x.round(), y.round())
    left, top = x.floor(), y.floor()
    right_share, lower_share = (x - left)[:, :, None].to(features.dtype), (y - top)[:, :, None].to(features.dtype)
    upper = _read(features, left, top) * (1 - right_share) + _read(features, left + 1, top) * right_share
    lower = _read(features, left, top + 1) * (1 - right_share) + _read(features, left + 1, top + 1) * right_share
    return upper * (1 - lower_share) + lower * lower_share


def _source_pixels(affine: Tensor, size: tuple[int, int], stride: int) -> tuple[Tensor, Tensor]:
    """X and y, each (B, P, h, w), of the source point that each pixel of a feature map of this stride reads."""
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
    """The features (B, C, h, w) at integer coordinates x and y (B, P, h, w): (B, P, C, h, w), zero outside the map."""
    batch, channels, height, width = features.shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    index = torch.where(inside, y * width + x, 0).long().flatten(1)
    read = features.flatten(2).gather(2, index[:, None].expand(-1, channels, -1))
    return read.view(batch, channels, *x.shape[1:]).transpose(1, 2) * inside[:, :, None]


def routes(affine: Tensor, masks: Tensor, stride: int = 1) -> Routes:
    """Which source pixel each target pixel reads, for each region whose mask covers it.

    Target pixels that read outside of the source are left out. So the work grows with the pixels that are covered, not
    with the number of regions: of the values of ten masked feature maps, about eight in nine are zero. No pair has a
    target index twice, which lets `warp` write each pair at once.

    Args:
        affine: (B, P, 2, 3) target to source pixels of the image.
        masks: (B, P, H, W) bool, in the target image.
        stride: of the feature map with respect to the image.

    Returns:
        pairs (target indices, source indices), int64.
    """
    masks = masks[:, :, ::stride, ::stride]
    batch, parts, height, width = masks.shape
    pixels = height * width

    # Of the pixels that the masks cover, not of all: where does each read in the source?
    covered = masks.flatten().nonzero()[:, 0]
    region = covered.div(pixels, rounding_mode="floor")  # b P + p
    pixel = covered - region * pixels
    line = pixel.div(width, rounding_mode="floor")
    x, y = (pixel - line * width).float(), line.float()
    maps = affine.float().flatten(0, 1)

    def read_at(axis: int) -> Tensor:
        per_x, per_y, shift = maps[:, axis, 0], maps[:, axis, 1], maps[:, axis, 2] / stride
        return (_of(per_x, region) * x + _of(per_y, region) * y + _of(shift, region)).round_()

    source_x, source_y = read_at(0), read_at(1)
    inside = ((source_x >= 0) & (source_x < width) & (source_y >= 0) & (source_y < height)).nonzero()[:, 0]
    covered, region, pixel, source_x, source_y = (
        _of(each, inside) for each in (covered, region, pixel, source_x, source_y)
    )
    image_start = region.div(parts, rounding_mode="floor") * pixels
    source, target = (source_y * width + source_x).long() + image_start, pixel + image_start

    # How many regions cover the pixel, up to and with this one.
    read = torch.zeros(masks.numel(), dtype=torch.uint8, device=masks.device).index_fill_(0, covered, 1)
    rank = _of(read.view(batch, parts, pixels).cumsum(1, dtype=torch.uint8).flatten(), covered)
    most = int(rank.max()) if len(rank) else 0
    groups = ((rank == number).nonzero()[:, 0] for number in range(1, most + 1))
    return [(_of(target, group), _of(source, group)) for group in groups]


def _of(values: Tensor, index: Tensor) -> Tensor:
    """Elements of a vector; several times as fast as indexing."""
    return values.index_select(0, index)


def warp(features: Tensor, covering: Routes) -> Tensor:
    """d(F): the maximum over regions of the warped, masked feature map (Eq. 3 and 4), never below zero.

    Zero takes part in the maximum because at nearly every pixel some region's mask is zero, and with it that region's
    value in Eq. 4. Where the decoder's ReLU comes next nothing is lost; where attention does (several sources) negative
    values of a single region over the whole image (`regions: whole`) are.

    Differentiable in the features: the gradient goes to the source pixel of the largest value, that of the first region
    where several are equal.

    Args:
        features: (B, C, H, W) of the source stream.
        covering: `routes` at this map's stride.

    Returns:
        (B, C, H, W).

    Example:
        >>> import torch
        >>> from augment.geometry.warping import routes, warp
        >>> features = torch.tensor([[[[1.0, 2, -3], [4, 5, 6]]]])
        >>> affine = torch.tensor([[[[1.0, 0, 1], [0, 1, 0]]]])  # one region; each pixel reads its right neighbour
        >>> masks = torch.ones(1, 1, 2, 3, dtype=torch.bool)
        >>> warp(features, routes(affine, masks))
        tensor([[[[2., 0., 0.],
                  [5., 6., 0.]]]])
    """
    return _MaximumOfRoutes.apply(features, covering)


class _MaximumOfRoutes(torch.autograd.Function):
    """The maximum over the routes; keeps features and result for the gradient, instead of a feature map a region."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, covering: Routes) -> Tensor:
        pixels = _by_pixel(features)
        result = torch.zeros_like(pixels)
        for number, (target, source) in enumerate(covering):
            value = pixels.index_select(0, source)
            best = value.clamp_min_(0) if number == 0 else torch.maximum(result.index_select(0, target), value)
            result.index_copy_(0, target, best)
        ctx.save_for_backward(pixels, result)
        ctx.covering, ctx.shape = covering, features.shape
        return _as_map(result, features.shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        pixels, result = ctx.saved_tensors
        # What no region has taken yet: each value's gradient goes to the first region that has the maximum.
        remaining = _by_pixel(gradients[0]) * (result > 0)
        gradient = torch.zeros_like(pixels)
        for number, (target, source) in enumerate(ctx.covering):
            is_maximum = pixels.index_select(0, source) == result.index_select(0, target)
            taken = remaining.index_select(0, target) * is_maximum
            gradient.index_add_(0, source, taken)
            if number + 1 < len(ctx.covering):
                remaining.index_add_(0, target, taken, alpha=-1)
        return _as_map(gradient, ctx.shape), None


def _by_pixel(features: Tensor) -> Tensor:
    """Feature maps (B, C, H, W) to a vector for each pixel (B H W, C); no copy in channels-last memory."""
    return features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])


def _as_map(pixels: Tensor, shape: torch.Size) -> Tensor:
    """A vector for each pixel (B H W, C) to feature maps (B, C, H, W) in channels-last memory."""
    batch, channels, height, width = shape
    return pixels.view(batch, height, width, channels).permute(0, 3, 1, 2)
