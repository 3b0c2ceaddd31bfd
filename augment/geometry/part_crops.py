"""The eight body parts that VUNet sees of a person: quadrilaterals of the image, each warped to a square."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from augment.poses.pose import INDEX, Pose

TORSO = tuple(INDEX[name] for name in ("left_shoulder", "left_hip", "right_hip", "right_shoulder"))
LIMBS = tuple(
    (INDEX[start], INDEX[end])
    for start, end in (
        ("left_shoulder", "left_elbow"),
        ("left_elbow", "left_wrist"),
        ("right_shoulder", "right_elbow"),
        ("right_elbow", "right_wrist"),
        ("left_hip", "left_knee"),
        ("right_hip", "right_knee"),
    )
)
PARTS = 2 + len(LIMBS)  # torso, head, upper arms and forearms, thighs
THIGHS = (INDEX["left_hip"], INDEX["right_hip"])
LIMB_WIDTH, HEAD_WIDTH = 0.5, 1.0  # of their boxes, in lengths of the segment between their ends


def part_quads(pose: Pose, height: int) -> tuple[Tensor, Tensor]:
    """The corners of the eight parts: torso, head, left arm, right arm (upper arm, forearm each), thighs.

    The torso is the quadrilateral of shoulders and hips. A limb's box lies along the segment between its joints and is
    half as wide as it is long. The head's is as wide as long; it goes from the neck, midway between the shoulders,
    through the nose, twice as far. Without a nose it is the square on the shoulders, upwards; without a knee a thigh
    goes from the hip straight down to the last row of the image.

    Args:
        pose: (B, 18), in pixels of the image.
        height: of the image.

    Returns:
        quads (B, 8, 4, 2): corners in the order that goes to the top left, bottom left, bottom right and top right of a
        square; and known (B, 8) bool: which parts can be cut out, where the joints that they need are known.
    """
    joints, visible = pose.joints, pose.visible
    quads, known = [joints[:, list(TORSO)]], [visible[:, list(TORSO)].all(1)]

    left, right, nose = (INDEX[name] for name in ("left_shoulder", "right_shoulder", "nose"))
    neck = joints[:, [left, right]].mean(1)
    by_nose = _box(neck + 2 * (joints[:, nose] - neck), neck, HEAD_WIDTH)[:, [1, 2, 3, 0]]
    across = joints[:, right] - joints[:, left]
    up = torch.stack([-across[:, 1], across[:, 0]], 1)
    up = torch.where(up[:, 1:] > 0, -up, up)
    on_shoulders = torch.stack([joints[:, left] + up, joints[:, left], joints[:, right], joints[:, right] + up], 1)
    quads.append(torch.where(visible[:, nose, None, None], by_nose, on_shoulders))
    known.append(visible[:, left] & visible[:, right])

    for start, end in LIMBS:
        first, second, whole = joints[:, start], joints[:, end], visible[:, start] & visible[:, end]
        if start in THIGHS:
            down = torch.stack([first[:, 0], torch.full_like(first[:, 1], height - 1)], 1)
            second, whole = torch.where(visible[:, end, None], second, down), visible[:, start]
        quads.append(_box(first, second, LIMB_WIDTH))
        known.append(whole)
    return torch.stack(quads, 1), torch.stack(known, 1)


def _box(start: Tensor, end: Tensor, width: float) -> Tensor:
    """Corners (B, 4, 2) of the rectangle along segments between points (B, 2), `width` times as wide as long."""
    along = end - start
    aside = torch.stack([-along[:, 1], along[:, 0]], 1) * (width / 2)
    return torch.stack([start + aside, start - aside, end - aside, end + aside], 1)


def from_square(quads: Tensor) -> Tensor:
    """The homographies that take the unit square's corners (0, 0), (0, 1), (1, 1), (1, 0) to those of quads.

    Args:
        quads: (..., 4, 2).

    Returns:
        (..., 3, 3), of which the last entry is 1; not finite where the corners leave no such map.

    Example:
        >>> quad = torch.tensor([[2.0, 3.0], [2.0, 7.0], [6.0, 7.0], [6.0, 3.0]])
        >>> from_square(quad) @ torch.tensor([0.5, 0.5, 1.0])
        tensor([4., 5., 1.])
    """
    first, below, opposite, right = quads.unbind(-2)
    # With H = [[a, b, c], [d, e, f], [g, h, 1]]: (c, f) is the first corner, and g and h solve two linear equations
    # that say where the opposite corner is, once a, b, d and e are written by the two beside the first.
    to_right, to_below, rest = right - opposite, below - opposite, first - below + opposite - right
    determinant = _cross(to_right, to_below)
    g, h = _cross(rest, to_below) / determinant, _cross(to_right, rest) / determinant
    column = right * (g[..., None] + 1) - first
    row = below * (h[..., None] + 1) - first
    affine = torch.stack([column, row, first], -1)
    return torch.cat([affine, torch.stack([g, h, torch.ones_like(g)], -1)[..., None, :]], -2)


def _cross(first: Tensor, second: Tensor) -> Tensor:
    return first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]


def part_crops(images: Tensor, pose: Pose, side: int) -> Tensor:
    """The parts of images of people, each warped to a square; what a part has outside its image repeats the border.

    Args:
        images: (B, C, H, W).
        pose: (B, 18), in pixels of the images.
        side: of the squares, in pixels. As released, a quadrilateral's last corner is at (side, side), one pixel behind
            the last one's centre.

    Returns:
        (B, 8 C, side, side), the channels of one part after the other; 0 for a part that is not known, or is a line.
    """
    count, channels, height, width = images.shape
    quads, known = part_quads(pose, height)
    maps = from_square(quads)
    known = known & maps.isfinite().flatten(2).all(2)
    maps = torch.where(known[..., None, None], maps, torch.eye(3, device=maps.device))
    steps = torch.arange(side, device=maps.device) / side
    y, x = (steps.flatten()[:, None] for steps in torch.meshgrid(steps, steps, indexing="ij"))  # (side^2, 1)
    across, down, fixed = maps[:, :, None].unbind(-1)  # (B, 8, 1, 3)
    reached = across * x + down * y + fixed
    places = (reached[..., :2] / reached[..., 2:]).nan_to_num(0.0, 1e6, -1e6).clamp(-1e6, 1e6)
    grid = places * (2 / torch.tensor([width - 1, height - 1], device=maps.device)) - 1
    # One image at a time, all of whose parts are beside each other: (B, 8 side, side, 2).
    grid = grid.unflatten(2, (side, side)).flatten(1, 2)
    crops = F.grid_sample(images.float(), grid, mode="bilinear", padding_mode="border", align_corners=True)
    crops = crops.unflatten(2, (PARTS, side)).transpose(1, 2) * known[:, :, None, None, None]
    return crops.reshape(count, PARTS * channels, side, side)
