"""The pose of a person as a picture of three channels, the shape that VUNet is given: right side, left side, torso."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from augment.poses.pose import INDEX, Pose

THICKNESS = 3  # pixels of a line, in an image that is WIDTH pixels wide
WIDTH = 128
TORSO = tuple(INDEX[name] for name in ("left_hip", "left_shoulder", "right_shoulder", "right_hip"))
CHAINS = tuple(
    tuple(INDEX[f"{side}_{name}"] for name in ("ankle", "knee", "hip", "shoulder", "elbow", "wrist"))
    for side in ("right", "left")
)


def stickman(pose: Pose, size: tuple[int, int]) -> Tensor:
    """The lines of the right and of the left side, and the filled torso; parts with an unknown joint are left out.

    As released, both sides have a line of half brightness from the neck, midway between the shoulders, to the nose,
    over the limbs' lines, and over it one from the nose to the side's own eye. A pixel belongs to a line if its centre
    is at most half of the line's thickness away; it belongs to the torso if it lies in the polygon of hips and
    shoulders, or at most half a pixel from its outline. Lines are 3 pixels thick at a width of 128, and a whole number
    of pixels at others.

    Args:
        pose: (B, 18), in pixels of the picture.
        size: (H, W) of the picture.

    Returns:
        (B, 3, H, W) float: -1 for nothing, 0 for the line from neck to nose, 1 for all else.

    Example:
        >>> pose = Pose(torch.zeros(1, 18, 2), torch.zeros(1, 18, dtype=torch.bool))
        >>> for name, y in (("right_knee", 8.0), ("right_ankle", 12.0)):
        ...     pose.joints[0, INDEX[name]] = torch.tensor([8.0, y])
        ...     pose.visible[0, INDEX[name]] = True
        >>> stickman(pose, (128, 128))[0, 0, 10, 5:12]
        tensor([-1., -1.,  1.,  1.,  1., -1., -1.])
    """
    joints, visible = pose.joints, pose.visible
    reach = max(1, THICKNESS * size[1] // WIDTH) / 2
    shoulders = [INDEX["right_shoulder"], INDEX["left_shoulder"]]
    nose, neck = joints[:, INDEX["nose"]], joints[:, shoulders].mean(1)
    nose_known = visible[:, INDEX["nose"]]
    face_known = nose_known & visible[:, INDEX["right_eye"]] & visible[:, INDEX["left_eye"]]
    neck_line = _near(neck, nose, nose_known & visible[:, shoulders].all(1), size, reach)
    channels = []
    for chain, eye in zip(CHAINS, ("right_eye", "left_eye"), strict=True):
        limbs = torch.zeros_like(neck_line)
        for start, end in itertools.pairwise(chain):
            limbs |= _near(joints[:, start], joints[:, end], visible[:, start] & visible[:, end], size, reach)
        to_eye = _near(nose, joints[:, INDEX[eye]], face_known, size, reach)
        drawn = torch.where(limbs, 1.0, -1.0).masked_fill(neck_line, 0.0).masked_fill(to_eye, 1.0)
        channels.append(drawn)
    corners, known = joints[:, list(TORSO)], visible[:, list(TORSO)].all(1)
    torso = _inside(corners, size) & known[:, None, None]
    for corner, following in zip(corners.unbind(1), corners.roll(-1, 1).unbind(1), strict=True):
        torso |= _near(corner, following, known, size, 0.5)
    channels.append(torch.where(torso, 1.0, -1.0))
    return torch.stack(channels, 1)


def _pixels(size: tuple[int, int], device: torch.device) -> tuple[Tensor, Tensor]:
    """The x of columns, (1, W), and the y of rows, (H, 1)."""
    return torch.arange(size[1], device=device)[None], torch.arange(size[0], device=device)[:, None]


def _near(start: Tensor, end: Tensor, known: Tensor, size: tuple[int, int], reach: float) -> Tensor:
    """(B, H, W) bool: pixels at most `reach` from the segments between points (B, 2), where both are known (B,)."""
    x, y = _pixels(size, start.device)
    along = end - start
    right, down = x - start[:, 0, None, None], y - start[:, 1, None, None]
    along_x, along_y = along[:, 0, None, None], along[:, 1, None, None]
    length = (along**2).sum(1)[:, None, None].clamp(min=1e-12)
    share = ((right * along_x + down * along_y) / length).clamp(0, 1)
    distance = (right - share * along_x) ** 2 + (down - share * along_y) ** 2
    return (distance <= reach**2) & known[:, None, None]


def _inside(corners: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, H, W) bool: pixels in polygons of corners (B, N, 2): those whose ray to the right meets the outline oddly."""
    x, y = _pixels(size, corners.device)
    inside = torch.zeros(len(corners), *size, dtype=torch.bool, device=corners.device)
    for start, end in zip(corners.unbind(1), corners.roll(-1, 1).unbind(1), strict=True):
        (from_x, from_y), (to_x, to_y) = (point[..., None, None].unbind(1) for point in (start, end))
        rise = torch.where(to_y == from_y, 1.0, to_y - from_y)  # of level edges, which no ray crosses, any
        inside ^= ((from_y > y) != (to_y > y)) & (x < from_x + (y - from_y) * (to_x - from_x) / rise)
    return inside
