"""The person's mask of mask-SSIM and mask-IS, made from 18 joints as the released test script makes it.

Ma et al. (PG2) proposed the procedure: discs around the joints, bars between them, then a closing.

Convention:
    Joints are x then y in pixels; the bar and the disc hold pixels by their centres.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from augment.poses.pose import INDEX, Pose

RADIUS = 4.0  # pixels, of the discs, and half the width of the bars; the same for all image sizes
CLOSING = 5  # pixels, side of the square of dilation and erosion
LIMBS = tuple(
    (INDEX[start], INDEX[end])
    for start, end in (
        ("neck", "right_shoulder"),
        ("neck", "left_shoulder"),
        ("right_shoulder", "right_elbow"),
        ("right_elbow", "right_wrist"),
        ("left_shoulder", "left_elbow"),
        ("left_elbow", "left_wrist"),
        ("neck", "right_hip"),
        ("right_hip", "right_knee"),
        ("right_knee", "right_ankle"),
        ("neck", "left_hip"),
        ("left_hip", "left_knee"),
        ("left_knee", "left_ankle"),
        ("neck", "nose"),
        ("nose", "right_eye"),
        ("right_eye", "right_ear"),
        ("nose", "left_eye"),
        ("left_eye", "left_ear"),
        ("neck", "right_ear"),
        ("neck", "left_ear"),
        ("right_hip", "left_hip"),
        ("left_hip", "left_shoulder"),
        ("right_hip", "right_shoulder"),
        ("right_ear", "left_ear"),
    )
)


def person_mask(pose: Pose, size: tuple[int, int]) -> Tensor:
    """Where the person is: discs around the visible joints and bars along the limbs, closed (dilated, then eroded).

    Args:
        pose: (B, 18), in pixels of the image.
        size: (H, W) of the image.

    Returns:
        (B, H, W) bool.
    """
    x, y = pose.joints.double().unbind(-1)  # (B, 18)
    right = torch.arange(size[1], device=x.device) - x[..., None]  # (B, 18, W) from the joint to each column
    down = torch.arange(size[0], device=x.device) - y[..., None]
    mask = torch.zeros(len(x), *size, dtype=torch.bool, device=x.device)
    for joint in range(x.shape[1]):
        inside = _sum(down[:, joint] ** 2, right[:, joint] ** 2) < RADIUS**2
        mask |= inside & pose.visible[:, joint, None, None]
    for start, end in LIMBS:
        length = torch.hypot(x[:, end] - x[:, start], y[:, end] - y[:, start])[:, None]
        unit_x, unit_y = ((p[:, end] - p[:, start])[:, None] / length.clamp_min(1e-9) for p in (x, y))
        forward = _sum(down[:, start] * unit_y, right[:, start] * unit_x)
        aside = _sum(down[:, start] * unit_x, -right[:, start] * unit_y).abs()
        inside = (forward >= 0) & (forward <= length[..., None]) & (aside <= RADIUS)
        drawn = pose.visible[:, start] & pose.visible[:, end] & (length[:, 0] > 0)
        mask |= inside & drawn[:, None, None]
    return _closed(mask)


def masked(images: Tensor, mask: Tensor) -> Tensor:
    """Images (B, 3, H, W) uint8, black outside their masks (B, H, W)."""
    return images * mask[:, None].to(images.dtype)


def _sum(of_rows: Tensor, of_columns: Tensor) -> Tensor:
    """(B, H, W) from one value a row (B, H) and one a column (B, W)."""
    return of_rows[:, :, None] + of_columns[:, None, :]


def _closed(mask: Tensor) -> Tensor:
    """(B, H, W) dilated, then eroded; outside the image nothing is set for the one, everything for the other."""
    margin = CLOSING // 2
    dilated = F.max_pool2d(mask.float()[:, None], CLOSING, stride=1, padding=margin)
    return F.max_pool2d(-dilated, CLOSING, stride=1, padding=margin)[:, 0] == -1
