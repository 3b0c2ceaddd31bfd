"""Heat maps of joints (Eq. 1)."""

from __future__ import annotations

import torch
from torch import Tensor

from augment.conventions import Convention
from augment.poses.pose import Pose


def heatmaps(pose: Pose, size: tuple[int, int], sigma: float = 6.0, convention: Convention = "released") -> Tensor:
    """One bump a joint (Eq. 1); an invisible joint's map is zero.

    H_j(p) = exp(-||p - P_j||^2 / (2 sigma^2)) as released, exp(-||p - P_j|| / sigma^2) in the text.

    Args:
        pose: (..., 18) joints in pixels of the map.
        size: (H, W) of the maps.
        sigma: in pixels; 6 at every resolution (Sec. 3).
        convention: which of the two forms.

    Returns:
        (..., 18, H, W) float in [0, 1].
    """
    height, width = size
    x = torch.arange(width, device=pose.joints.device, dtype=pose.joints.dtype)[:, None]
    y = torch.arange(height, device=pose.joints.device, dtype=pose.joints.dtype)[:, None]
    # Joints come last in memory (channels-last), where convolutions want them.
    if convention == "paper":
        across = x[None] - pose.joints[..., None, None, :, 0]  # (..., 1, W, 18)
        down = y[:, None] - pose.joints[..., None, None, :, 1]  # (..., H, 1, 18)
        maps = torch.exp(-torch.hypot(across, down) / sigma**2) * pose.visible[..., None, None, :]
        return maps.movedim(-1, -3)
    # The Gaussian is separable.
    along_x = torch.exp(-((x - pose.joints[..., None, :, 0]) ** 2) / (2 * sigma**2))  # (..., W, 18)
    along_y = torch.exp(-((y - pose.joints[..., None, :, 1]) ** 2) / (2 * sigma**2))  # (..., H, 18)
    maps = (along_y * pose.visible[..., None, :])[..., :, None, :] * along_x[..., None, :, :]
    return maps.movedim(-1, -3)
