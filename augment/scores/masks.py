"""The person's mask for mask-SSIM and mask-IS, made from the 18 joints as in the released test script.

These scores leave the background out, since a generator that is not given the target's background cannot know it
(Sec. 5.2). The procedure is that of Ma et al. (PG2): discs around the joints, bars along the limbs, then a
morphological closing. These are not the masks of the body regions that the generator uses.

Convention:
    Joints are x then y in pixels; a pixel belongs to a disc or bar if its centre does.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from augment.poses.pose import INDEX, Pose

RADIUS = 4.0  # of the discs, and half the width of the bars, in pixels, at every image size
CLOSING = 5  # side of the square structuring element of the closing, in pixels
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
    """Where the person is: discs around visible joints and bars along visible limbs, closed (dilated, then eroded).

    Args:
        pose: (B, 18), in pixels of the image.
        size: (H, W) of the image.

    Returns:
        (B, H, W) bool.

    Example:
        >>> import torch
        >>> from augment.poses import INDEX, Pose
        >>> from augment.scores.masks import person_mask
        >>> pose = Pose(torch.full((1, 18, 2), 20.0), torch.zeros(1, 18, dtype=torch.bool))
        >>> pose.visible[0, INDEX["nose"]] = True
        >>> mask = person_mask(pose, (128, 64))  # a disc around (20, 20)
        >>> mask.sum().item(), mask[0, 20, 23].item(), mask[0, 20, 24].item()
        (45, True, False)
    """
    x, y = pose.joints.double().unbind(-1)  # (B, 18)
    right = torch.arange(size[1], device=x.device) - x[..., None]  # (B, 18, W) from each joint to each pixel's x
    down = torch.arange(size[0], device=x.device) - y[..., None]
    mask = torch.zeros(len(x), *size, dtype=torch.bool, device=x.device)
    for joint in range(x.shape[1]):
        inside = _outer_sum(down[:, joint] ** 2, right[:, joint] ** 2) < RADIUS**2
        mask |= inside & pose.visible[:, joint, None, None]
    for start, end in LIMBS:
        length = torch.hypot(x[:, end] - x[:, start], y[:, end] - y[:, start])[:, None]
        unit_x, unit_y = ((p[:, end] - p[:, start])[:, None] / length.clamp_min(1e-9) for p in (x, y))
        along = _outer_sum(down[:, start] * unit_y, right[:, start] * unit_x)  # from `start` along the limb
        across = _outer_sum(down[:, start] * unit_x, -right[:, start] * unit_y).abs()  # from the limb's axis
        inside = (along >= 0) & (along <= length[..., None]) & (across <= RADIUS)
        drawn = pose.visible[:, start] & pose.visible[:, end] & (length[:, 0] > 0)
        mask |= inside & drawn[:, None, None]
    return _closed(mask)


def masked(images: Tensor, mask: Tensor) -> Tensor:
    """Images (B, 3, H, W) uint8, black outside their masks (B, H, W)."""
    return images * mask[:, None].to(images.dtype)


def _outer_sum(of_y: Tensor, of_x: Tensor) -> Tensor:
    """(B, H, W) at each pixel the sum of a value for its y (B, H) and one for its x (B, W)."""
    return of_y[:, :, None] + of_x[:, None, :]


def _closed(mask: Tensor) -> Tensor:
    """The mask (B, H, W) dilated, then eroded; pixels outside the image affect neither."""
    margin = CLOSING // 2
    dilated = F.max_pool2d(mask.float()[:, None], CLOSING, stride=1, padding=margin)
    return F.max_pool2d(-dilated, CLOSING, stride=1, padding=margin)[:, 0] == -1
