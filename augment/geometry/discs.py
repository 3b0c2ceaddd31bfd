"""Discs at joints, and the coarse mask of a person that is made of them: what PG2 and DPIG are given of a pose.

The released code draws both on whole pixels: a joint is truncated to one, and a pixel belongs to its disc if its
distance from there is at most the radius.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from augment.geometry.limbs import LIMBS, closed
from augment.poses.pose import Pose


def discs(pose: Pose, size: tuple[int, int], radius: int = 4) -> Tensor:
    """One map for each joint: 1 within `radius` pixels of it, -1 elsewhere, and everywhere for an unknown joint.

    Args:
        pose: (..., 18) joints in pixels of the map.
        size: (H, W) of the maps.
        radius: in pixels; 4 as released, at 128x64 and 256x256 alike.

    Returns:
        (..., 18, H, W) float.

    Example:
        >>> from augment.poses.pose import INDEX
        >>> pose = Pose(torch.full((18, 2), 20.0), torch.ones(18, dtype=torch.bool))
        >>> maps = discs(pose, size=(128, 64))
        >>> maps[INDEX["nose"], 20, [20, 24, 25]]
        tensor([ 1.,  1., -1.])
    """
    return 2.0 * _near(pose.joints, pose.visible, size, radius) - 1.0


def coarse_mask(pose: Pose, size: tuple[int, int], radius: int = 7) -> Tensor:
    """Where the person is, roughly: discs along the limbs whose ends are both known, closed (dilated, then eroded).

    A limb of length d has discs at its ends and at int(d / radius) - 1 places evenly between them.

    Args:
        pose: (B, 18), in pixels of the image.
        size: (H, W) of the image.
        radius: of the discs in pixels; as released 4 in PG2, 7 in DPIG at 128x64, and 8 at 256x256.

    Returns:
        (B, H, W) bool.
    """
    start, end = (pose.joints[:, list(ends)] for ends in zip(*LIMBS, strict=True))  # (B, L, 2) each
    known = torch.stack([pose.visible[:, first] & pose.visible[:, second] for first, second in LIMBS], 1)
    steps = ((end - start).norm(dim=-1) / radius).long().clamp(min=1)
    most = int(torch.where(known, steps, 1).max())
    share = torch.arange(most + 1, device=start.device) / steps[..., None]  # (B, L, places)
    places = start[..., None, :] + share[..., None] * (end - start)[..., None, :]
    return closed(_any_near(places.flatten(1, 2), (known[..., None] & (share <= 1)).flatten(1), size, radius))


def _any_near(points: Tensor, known: Tensor, size: tuple[int, int], radius: int) -> Tensor:
    """(B, H, W) bool: the pixels within `radius` of any of points (B, K, 2), truncated, that are known (B, K).

    The points are marked on a grid that is wider by the radius on all sides, and a convolution draws a disc at each.
    """
    rows, columns = size[0] + 2 * radius, size[1] + 2 * radius
    x, y = (points.trunc().long() + radius).unbind(-1)
    marked = known & (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
    grid = torch.zeros(len(points), rows * columns, device=points.device)
    grid.scatter_reduce_(1, torch.where(marked, y * columns + x, 0), marked.float(), "amax")
    offsets = torch.arange(-radius, radius + 1, device=points.device)
    disc = (offsets[:, None] ** 2 + offsets**2 <= radius**2).float()
    return F.conv2d(grid.view(-1, 1, rows, columns), disc[None, None])[:, 0] > 0.5


def _near(points: Tensor, known: Tensor, size: tuple[int, int], radius: int) -> Tensor:
    """(..., K, H, W) bool: the pixels within `radius` of points (..., K, 2), truncated, that are known (..., K)."""
    x, y = points.trunc().unbind(-1)
    right = torch.arange(size[1], device=x.device) - x[..., None]
    down = torch.arange(size[0], device=x.device) - y[..., None]
    inside = down[..., :, None] ** 2 + right[..., None, :] ** 2 <= radius**2
    return inside & known[..., None, None]
