"""Heat maps of joints (Eq. 1)."""

from __future__ import annotations

import torch
from torch import Tensor

from augment.poses.pose import Pose


def heatmaps(pose: Pose, size: tuple[int, int], sigma: float = 6.0) -> Tensor:
    """One Gaussian bump a joint; an invisible joint's map is zero.

    H_j(p) = exp(-||p - P_j||^2 / (2 sigma^2)), the released code's form of Eq. 1 (the text divides the unsquared
    distance by sigma^2).

    Args:
        pose: (..., 18) joints in pixels of the map.
        size: (H, W) of the maps.
        sigma: in pixels; 6 at every resolution (Sec. 3).

    Returns:
        (..., 18, H, W) float in [0, 1].
    """
    height, width = size
    x = torch.arange(width, device=pose.joints.device, dtype=pose.joints.dtype)[:, None]
    y = torch.arange(height, device=pose.joints.device, dtype=pose.joints.dtype)[:, None]
    # The Gaussian is separable. Joints come last in memory (channels-last), where convolutions want them.
    along_x = torch.exp(-((x - pose.joints[..., None, :, 0]) ** 2) / (2 * sigma**2))  # (..., W, 18)
    along_y = torch.exp(-((y - pose.joints[..., None, :, 1]) ** 2) / (2 * sigma**2))  # (..., H, 18)
    maps = (along_y * pose.visible[..., None, :])[..., :, None, :] * along_x[..., None, :, :]
    return maps.movedim(-1, -3)
