"""The seven body regions of DPIG: boxes around groups of joints, and what a feature map has in them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from augment.poses.pose import INDEX, Pose

REGIONS = {
    "head": ("nose", "neck", "right_shoulder", "left_shoulder", "right_eye", "left_eye", "right_ear", "left_ear"),
    "upper body": (
        *("right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
        *("right_hip", "left_hip"),
    ),
    "lower body": ("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
    "left arm": ("left_shoulder", "left_elbow", "left_wrist"),
    "right arm": ("right_shoulder", "right_elbow", "right_wrist"),
    "left leg": ("left_hip", "left_knee", "left_ankle"),
    "right leg": ("right_hip", "right_knee", "right_ankle"),
}


def region_boxes(pose: Pose, size: tuple[int, int], margin: int = 6, single_margin: int = 10) -> tuple[Tensor, Tensor]:
    """The boxes of REGIONS around their known joints, with a margin, inside the image.

    Args:
        pose: (B, 18), in pixels of the image.
        size: (H, W) of the image.
        margin: around the joints, in pixels.
        single_margin: around a joint that is the only known one of its region.

    Returns:
        boxes (B, 7, 4): left, top, right, bottom in pixels, all inside; (0, 0, 1, 1) for a region without known joints;
        and visible (B, 7) bool: which regions have some.

    Example:
        >>> pose = Pose(torch.full((1, 18, 2), 20.0), torch.zeros(1, 18, dtype=torch.bool))
        >>> pose.visible[0, INDEX["left_knee"]] = True
        >>> boxes, visible = region_boxes(pose, (128, 64))
        >>> boxes[0, [2, 3]].tolist(), visible[0].tolist()
        ([[10.0, 10.0, 30.0, 30.0], [0.0, 0.0, 1.0, 1.0]], [False, False, True, False, False, True, False])
    """
    limit = torch.tensor([size[1] - 1.0, size[0] - 1.0], device=pose.joints.device)
    boxes, visible = [], []
    for names in REGIONS.values():
        which = [INDEX[name] for name in names]
        known, joints = pose.visible[:, which], pose.joints[:, which]
        low = joints.masked_fill(~known[..., None], torch.inf).amin(1)
        high = joints.masked_fill(~known[..., None], -torch.inf).amax(1)
        count = known.sum(1)
        around = torch.where(count == 1, single_margin, margin)[:, None]
        box = torch.cat([(low - around).clamp(min=0).minimum(limit), (high + around).clamp(min=0).minimum(limit)], 1)
        nothing = torch.tensor([0.0, 0.0, 1.0, 1.0], device=box.device)
        boxes.append(torch.where(count[:, None] > 0, box, nothing))
        visible.append(count > 0)
    return torch.stack(boxes, 1), torch.stack(visible, 1)


def crop(maps: Tensor, boxes: Tensor, side: int) -> Tensor:
    """What maps have in boxes, each resized to a square bilinearly; corners of a box are pixel centres.

    Args:
        maps: (B, C, H, W).
        boxes: (B, R, 4) left, top, right, bottom in pixels.
        side: of the squares, in pixels.

    Returns:
        (B * R, C, side, side), the R crops of a map beside each other.

    Example:
        >>> maps = torch.arange(4.0).expand(1, 1, 4, 4)  # each pixel's x
        >>> crop(maps, torch.tensor([[[1.0, 0.0, 3.0, 2.0]]]), side=3)[0, 0, 0]
        tensor([1., 2., 3.])
    """
    count, _, height, width = maps.shape
    regions = boxes.shape[1]
    steps = torch.linspace(0, 1, side, device=maps.device, dtype=boxes.dtype)
    left, top, right, bottom = boxes.flatten(0, 1).unbind(-1)
    x = (left[:, None] + steps * (right - left)[:, None]) * (2 / (width - 1)) - 1
    y = (top[:, None] + steps * (bottom - top)[:, None]) * (2 / (height - 1)) - 1
    grid = torch.stack([x[:, None, :].expand(-1, side, -1), y[:, :, None].expand(-1, -1, side)], -1)
    # One map at a time: repeating the maps for each region would take R times their memory.
    grids = grid.unflatten(0, (count, regions)).flatten(1, 2)  # (B, R * side, side, 2)
    # In the precision of the boxes: rounded to bfloat16, places would be off by a tenth of a pixel.
    found = F.grid_sample(maps.to(grids.dtype), grids, mode="bilinear", padding_mode="border", align_corners=True)
    return found.to(maps.dtype).unflatten(2, (regions, side)).transpose(1, 2).flatten(0, 1)
