"""Heat maps of joints: the form in which generator and discriminator are given a pose (Eq. 1)."""

from __future__ import annotations

import torch
from torch import Tensor

from augment.conventions import Convention
from augment.poses.pose import Pose


def heatmaps(pose: Pose, size: tuple[int, int], sigma: float = 6.0, convention: Convention = "released") -> Tensor:
    """One map for each joint: 1 at the joint and less with the distance from it; all zero for an unknown joint (Eq. 1).

    With d = ||p - P_j||, H_j(p) is

    - `released`: exp(-ceil(d^2 / (2 sigma^2))), d being the distance from the whole pixel that P_j is truncated to. The
      released code runs on Python 2, where `/` of whole numbers rounds down, so its map is a staircase: 1 at the joint
      alone, 0.368 up to 8.5 pixels from it, 0.135 up to 12.
    - `gaussian`: exp(-d^2 / (2 sigma^2)), which that code would be without the rounding.
    - `paper`: exp(-d / sigma^2), the text's.

    Args:
        pose: (..., 18) joints in pixels of the map.
        size: (H, W) of the maps.
        sigma: in pixels; 6 at every resolution (Sec. 3).
        convention: which of the three formulas.

    Returns:
        (..., 18, H, W) float in [0, 1].

    Example:
        >>> import torch
        >>> from augment.geometry import heatmaps
        >>> from augment.poses import INDEX, Pose
        >>> pose = Pose(torch.full((18, 2), 20.0), torch.ones(18, dtype=torch.bool))  # all joints at (20, 20)
        >>> maps = heatmaps(pose, size=(128, 64))
        >>> maps.shape
        torch.Size([18, 128, 64])
        >>> maps[INDEX["nose"], 20, [20, 21, 28, 29]]  # at the joint; the first step's ends; the second
        tensor([1.0000, 0.3679, 0.3679, 0.1353])
        >>> heatmaps(pose, (128, 64), convention="gaussian")[INDEX["nose"], 20, [20, 26, 32]]  # 0, 1, 2 sigma beside it
        tensor([1.0000, 0.6065, 0.1353])
    """
    height, width = size
    x = torch.arange(width, device=pose.joints.device, dtype=pose.joints.dtype)[:, None]
    y = torch.arange(height, device=pose.joints.device, dtype=pose.joints.dtype)[:, None]
    # Computed with the joints as last dimension: moving it to the front then gives channels-last memory, in which
    # convolutions are fastest.
    if convention != "gaussian":
        joints = pose.joints.trunc() if convention == "released" else pose.joints
        unknown = ~pose.visible[..., None, None, :]
        across = x[None] - joints[..., None, None, :, 0]  # (..., 1, W, 18)
        down = y[:, None] - joints[..., None, None, :, 1]  # (..., H, 1, 18)
        # In place from here on, where most of the time goes. An unknown joint is infinitely far away.
        if convention == "released":
            maps = ((across**2).masked_fill_(unknown, torch.inf) + down**2).div_(2 * sigma**2).ceil_()
        else:
            maps = torch.hypot(across.masked_fill_(unknown, torch.inf), down).div_(sigma**2)
        return maps.neg_().exp_().movedim(-1, -3)
    # A Gaussian of two coordinates is the product of a Gaussian of each.
    along_x = torch.exp(-((x - pose.joints[..., None, :, 0]) ** 2) / (2 * sigma**2))  # (..., W, 18)
    along_y = torch.exp(-((y - pose.joints[..., None, :, 1]) ** 2) / (2 * sigma**2))  # (..., H, 18)
    maps = (along_y * pose.visible[..., None, :])[..., :, None, :] * along_x[..., None, :, :]
    return maps.movedim(-1, -3)
