"""The ten body regions made from 18 joints (Sec. 3.1), with the twin limb for a missing one (Sec. 4.2).

Order of the regions everywhere: torso, head, then right and left of upper leg, lower leg, upper arm, lower arm.
Sizes follow the released code, not the text: see docs/fidelity.md.
"""

from __future__ import annotations

import torch
from torch import Tensor

from augment.poses.pose import INDEX, TORSO, Pose

PARTS = (
    "torso",
    "head",
    "right_upper_leg",
    "left_upper_leg",
    "right_lower_leg",
    "left_lower_leg",
    "right_upper_arm",
    "left_upper_arm",
    "right_lower_arm",
    "left_lower_arm",
)
HEAD = tuple(INDEX[name] for name in ("nose", "right_eye", "left_eye", "right_ear", "left_ear"))
SHOULDERS = (INDEX["left_shoulder"], INDEX["right_shoulder"])
# (from, to) joints of the eight limbs, in the order of PARTS; a limb's twin is its neighbour in the pair.
LIMBS = tuple(
    (INDEX[f"{side}_{start}"], INDEX[f"{side}_{end}"])
    for start, end in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
    for side in ("right", "left")
)
TWIN = (1, 0, 3, 2, 5, 4, 7, 6)
UPPER = (True, True, False, False) * 2

HALF_WIDTH = 0.2  # of a limb's rectangle, in torso scales
HEAD_HALF_SIDE = 0.4  # of the head's square, in torso scales
LENGTHEN_START = 0.1  # of a limb, beyond its first joint
# Beyond its second joint: lower limbs reach further, to take hands and feet along; for masks even further.
LENGTHEN_END_TRANSFORM = tuple(0.1 if upper else 0.3 for upper in UPPER)
LENGTHEN_END_MASK = tuple(0.1 if upper else 0.5 for upper in UPPER)
POINTS = 7  # most points that any region contributes to its affine map: the head's five joints and two shoulders


def torso_scale(pose: Pose) -> Tensor:
    """(...) root mean square length of the torso's two sides (hip to shoulder), in pixels."""
    right_hip, left_hip, left_shoulder, right_shoulder = (pose.joints[..., joint, :] for joint in TORSO)
    right = ((right_hip - right_shoulder) ** 2).sum(-1)
    left = ((left_hip - left_shoulder) ** 2).sum(-1)
    return ((right + left) / 2).sqrt()


def limb_rectangles(start: Tensor, end: Tensor, scale: Tensor, lengthen_end: tuple[float, ...]) -> Tensor:
    """Corners of the rotated rectangles around limbs.

    Args:
        start: (B, 8, 2) first joint, x then y.
        end: (B, 8, 2) second joint.
        scale: (B,) torso scale.
        lengthen_end: for each limb, how far it reaches beyond `end`.

    Returns:
        (B, 8, 4, 2) corners: start left, start right, end right, end left.
    """
    start = start + LENGTHEN_START * (start - end)
    end = end + torch.tensor(lengthen_end, dtype=end.dtype, device=end.device)[:, None] * (end - start)
    along = start - end
    across = torch.stack([-along[..., 1], along[..., 0]], -1)
    across = across / across.norm(dim=-1, keepdim=True).clamp_min(1e-6) * (HALF_WIDTH * scale)[:, None, None]
    return torch.stack([start + across, start - across, end - across, end + across], 2)


def correspondences(source: Pose, target: Pose) -> tuple[Tensor, Tensor, Tensor]:
    """Points of each region in the target pose and the points that they come from in the source pose.

    A region with fewer than three points of weight 1 has no transform. A limb missing from the source is replaced by
    its twin (Sec. 4.2); one missing from the target stays missing.

    Args:
        source: (B, 18) pose of the source image.
        target: (B, 18) pose of the target image.

    Returns:
        target points (B, 10, 7, 2), source points (B, 10, 7, 2), both x then y in pixels, float64;
        weights (B, 10, 7), 0 or 1, float64.
    """
    q, p = target.joints.double(), source.joints.double()
    batch = len(q)
    targets, sources = q.new_zeros(batch, len(PARTS), POINTS, 2), q.new_zeros(batch, len(PARTS), POINTS, 2)
    weights = q.new_zeros(batch, len(PARTS), POINTS)

    torso = list(TORSO)
    targets[:, 0, :4], sources[:, 0, :4] = q[:, torso], p[:, torso]
    weights[:, 0, :4] = (target.has_torso() & source.has_torso()).double()[:, None]

    # The head: joints seen in both images, and the shoulders to have enough of them.
    head, shoulders = list(HEAD), list(SHOULDERS)
    in_both = target.visible & source.visible
    any_head = in_both[:, head].any(1, keepdim=True)
    targets[:, 1], sources[:, 1] = q[:, head + shoulders], p[:, head + shoulders]
    weights[:, 1] = torch.cat([in_both[:, head], in_both[:, shoulders] & any_head], 1).double()

    # Limbs: the four corners of their rectangles.
    start, end = [limb[0] for limb in LIMBS], [limb[1] for limb in LIMBS]
    in_target = target.visible[:, start] & target.visible[:, end]
    own = source.visible[:, start] & source.visible[:, end]
    twin = own[:, list(TWIN)]
    own_joints = own[..., None]
    source_start = torch.where(own_joints, p[:, start], p[:, start][:, list(TWIN)])
    source_end = torch.where(own_joints, p[:, end], p[:, end][:, list(TWIN)])
    target_scale, source_scale = torso_scale(target).double(), torso_scale(source).double()
    targets[:, 2:, :4] = limb_rectangles(q[:, start], q[:, end], target_scale, LENGTHEN_END_TRANSFORM)
    sources[:, 2:, :4] = limb_rectangles(source_start, source_end, source_scale, LENGTHEN_END_TRANSFORM)
    weights[:, 2:, :4] = (in_target & (own | twin)).double()[..., None]
    return targets, sources, weights


def region_masks(target: Pose, size: tuple[int, int]) -> Tensor:
    """Masks of the ten regions in the target image.

    The torso's is all ones (it takes the background along), the head's a square, a limb's its rotated rectangle; a
    region with a missing joint has an empty mask.

    Args:
        target: (B, 18) pose.
        size: (H, W) of the image.

    Returns:
        (B, 10, H, W) bool.
    """
    height, width = size
    joints = target.joints.double()
    x = torch.arange(width, device=joints.device, dtype=joints.dtype)
    y = torch.arange(height, device=joints.device, dtype=joints.dtype)
    scale = torso_scale(target).double()
    masks = torch.zeros(len(joints), len(PARTS), height, width, dtype=torch.bool, device=joints.device)
    masks[:, 0] = True

    seen = target.visible[:, list(HEAD)]
    centre = (joints[:, list(HEAD)] * seen[..., None]).sum(1) / seen.sum(1, keepdim=True).clamp_min(1)
    centre, half = centre.floor(), (HEAD_HALF_SIDE * scale).floor()[:, None]
    in_x = (x >= centre[:, :1] - half) & (x < centre[:, :1] + half)
    in_y = (y >= centre[:, 1:] - half) & (y < centre[:, 1:] + half) & seen.any(1, keepdim=True)
    masks[:, 1] = in_y[:, :, None] & in_x[:, None, :]

    # Inside a rectangle = within half a side of its centre along both of its axes.
    start, end = [limb[0] for limb in LIMBS], [limb[1] for limb in LIMBS]
    corners = limb_rectangles(joints[:, start], joints[:, end], scale, LENGTHEN_END_MASK)
    centre = corners.mean(2)
    masks[:, 2:] = (target.visible[:, start] & target.visible[:, end])[..., None, None]
    for half_side in ((corners[:, :, 3] - corners[:, :, 0]) / 2, (corners[:, :, 0] - corners[:, :, 1]) / 2):
        along_x = (x - centre[..., :1]) * half_side[..., :1]
        along_y = (y - centre[..., 1:]) * half_side[..., 1:]
        projection = along_y[..., :, None] + along_x[..., None, :]
        square = (half_side**2).sum(-1)[..., None, None]
        masks[:, 2:] &= (projection.abs() <= square + 1e-9) & (square > 1e-9)  # nothing is inside a limb of no length
    return masks
