"""Deformable skip connections: affine maps of body regions (Eq. 2), the masked warp (Eq. 3), its maximum (Eq. 4).

Convention: affine maps go from target pixels to source pixels, x then y, the centre of the top left pixel being (0, 0);
a warp reads at the nearest source pixel, and zero outside. At a feature map of stride s the pixel (x, y) stands for
the image's pixel (s x, s y): translations are divided by s, masks are read at every s-th pixel.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from augment.body_parts import correspondences, region_masks
from augment.poses.pose import Pose

# The map of a region without transform: it reads outside of any image, so the result is zero.
NOWHERE = ((1.0, 0.0, 1e6), (0.0, 1.0, 1e6))

# For the r-th region that covers a pixel: (rows of the result, rows of the features), counted over (B, H, W).
Routes = list[tuple[Tensor, Tensor]]


def fit_affine(target: Tensor, source: Tensor, weights: Tensor) -> Tensor:
    """Affine maps from target to source points by total least squares (Eq. 2).

    As in the released code: points are centred and scaled to a mean squared distance of 2, then the homogeneous
    system is solved for the direction of least residual. Maps with fewer than three points, or collinear target points,
    become `NOWHERE`.

    Args:
        target: (..., N, 2) points, x then y.
        source: (..., N, 2) the points that they come from.
        weights: (..., N) 1 for a point that counts, 0 for one that does not.

    Returns:
        (..., 2, 3) float64: source = A[:, :2] @ target + A[:, 2].
    """
    target, source, weights = target.double(), source.double(), weights.double()
    count = weights.sum(-1).clamp_min(1)
    q, to_q = _normalise(target, weights, count)
    p, to_p = _normalise(source, weights, count)

    # Two homogeneous equations a point, for the six coefficients and the common scale.
    zero = torch.zeros_like(weights)
    x_rows = torch.stack([q[..., 0], q[..., 1], weights, zero, zero, zero, -p[..., 0]], -1)
    y_rows = torch.stack([zero, zero, zero, q[..., 0], q[..., 1], weights, -p[..., 1]], -1)
    system = torch.cat([x_rows, y_rows], -2)
    least = torch.linalg.eigh(system.mT @ system)[1][..., 0]
    coefficients = least[..., :6] / torch.where(least[..., 6:].abs() < 1e-12, 1e-12, least[..., 6:])

    in_normalised = torch.zeros_like(to_q)
    in_normalised[..., :2, :] = coefficients.unflatten(-1, (2, 3))
    in_normalised[..., 2, 2] = 1
    affine = (torch.linalg.inv(to_p) @ in_normalised @ to_q)[..., :2, :]

    spread = (q * weights[..., None]).mT @ q
    collinear = torch.linalg.det(spread) <= 1e-9 * spread.diagonal(dim1=-2, dim2=-1).sum(-1) ** 2
    nowhere = torch.tensor(NOWHERE, dtype=affine.dtype, device=affine.device)
    return torch.where(((weights.sum(-1) < 3) | collinear)[..., None, None], nowhere, affine)


def _normalise(points: Tensor, weights: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """Points centred and scaled to a mean squared distance of 2, and the 3x3 matrix that does it."""
    weighted = points * weights[..., None]
    centre = weighted.sum(-2) / count[..., None]
    centred = (points - centre[..., None, :]) * weights[..., None]
    spread = ((centred**2).sum((-1, -2)) / count).sqrt().clamp_min(1e-9)
    scale = 2**0.5 / spread
    matrix = torch.zeros(*points.shape[:-2], 3, 3, dtype=points.dtype, device=points.device)
    matrix[..., 0, 0] = matrix[..., 1, 1] = scale
    matrix[..., :2, 2] = -scale[..., None] * centre
    matrix[..., 2, 2] = 1
    return centred * scale[..., None, None], matrix


def part_transforms(source_pose: Pose, target_pose: Pose, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Affine map and mask of each of the ten body regions.

    Args:
        source_pose: (B, 18) pose of the source image.
        target_pose: (B, 18) pose of the target image.
        size: (H, W) of both images.

    Returns:
        affine (B, 10, 2, 3) float64, target to source pixels; masks (B, 10, H, W) bool, in the target image.
    """
    return fit_affine(*correspondences(source_pose, target_pose)), region_masks(target_pose, size)


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
    affine = affine.float()
    x = torch.arange(width, device=affine.device, dtype=affine.dtype)
    y = torch.arange(height, device=affine.device, dtype=affine.dtype)
    source = (
        affine[..., 0, None, None] * x
        + affine[..., 1, None, None] * y[:, None]
        + (affine[..., 2] / stride)[..., None, None]
    ).round_()
    source_x, source_y = source.unbind(2)
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
