"""The ten body regions made from 18 joints (Sec. 3.1), with the twin limb for a missing one (Sec. 4.2).

Order of the regions everywhere: torso, head, then right and left of upper leg, lower leg, upper arm, lower arm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from augment.conventions import Convention
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

KNEES = (INDEX["right_knee"], INDEX["left_knee"])
HEAD_HALF_SIDE = 0.4  # of the head's square, in torso scales, as released
POINTS = 7  # most points that any region contributes to its affine map: the head's five joints and two shoulders


def torso_sides(pose: Pose) -> Tensor:
    """(...) root mean square length of the torso's two sides (hip to shoulder), in pixels."""
    right_hip, left_hip, left_shoulder, right_shoulder = (pose.joints[..., joint, :] for joint in TORSO)
    right = ((right_hip - right_shoulder) ** 2).sum(-1)
    left = ((left_hip - left_shoulder) ** 2).sum(-1)
    return ((right + left) / 2).sqrt()


def torso_diagonals(pose: Pose) -> Tensor:
    """(...) mean length of the torso's two diagonals (hip to the other side's shoulder), in pixels."""
    right_hip, left_hip, left_shoulder, right_shoulder = (pose.joints[..., joint, :] for joint in TORSO)
    return ((right_hip - left_shoulder).norm(dim=-1) + (left_hip - right_shoulder).norm(dim=-1)) / 2


@dataclass(frozen=True)
class LimbSize:
    """How large a limb's rectangle is, of a limb from its first to its second joint."""

    scale: Callable[[Pose], Tensor]  # of the body, in pixels
    half_width: float  # in scales
    lengthen_start: float  # beyond the first joint, as a share of the limb
    # Beyond the second joint, for each limb: released lower limbs reach further, to take hands and feet along; for
    # masks even further.
    lengthen_transform: tuple[float, ...]
    lengthen_mask: tuple[float, ...]


LIMB_SIZES: dict[Convention, LimbSize] = {
    "released": LimbSize(
        torso_sides,
        half_width=0.2,
        lengthen_start=0.1,
        lengthen_transform=tuple(0.1 if upper else 0.3 for upper in UPPER),
        lengthen_mask=tuple(0.1 if upper else 0.5 for upper in UPPER),
    ),
    "paper": LimbSize(
        torso_diagonals, half_width=1 / 6, lengthen_start=0.0, lengthen_transform=(0.0,) * 8, lengthen_mask=(0.0,) * 8
    ),
}


def limb_rectangles(
    start: Tensor, end: Tensor, half_width: Tensor, lengthen_start: float, lengthen_end: tuple[float, ...]
) -> Tensor:
    """Corners of the rotated rectangles around limbs.

    Args:
        start: (B, 8, 2) first joint, x then y.
        end: (B, 8, 2) second joint.
        half_width: (B,) in pixels.
        lengthen_start: how far limbs reach beyond `start`.
        lengthen_end: for each limb, how far it reaches beyond `end`, once lengthened at its start.

    Returns:
        (B, 8, 4, 2) corners: start left, start right, end right, end left.
    """
    start = start + lengthen_start * (start - end)
    end = end + torch.tensor(lengthen_end, dtype=end.dtype, device=end.device)[:, None] * (end - start)
    along = start - end
    across = torch.stack([-along[..., 1], along[..., 0]], -1)
    across = across / across.norm(dim=-1, keepdim=True).clamp_min(1e-6) * half_width[:, None, None]
    return torch.stack([start + across, start - across, end - across, end + across], 2)


def correspondences(
    source: Pose, target: Pose, symmetry: bool = True, convention: Convention = "released"
) -> tuple[Tensor, Tensor, Tensor]:
    """Points of each region in the target pose and the points that they come from in the source pose.

    A region with fewer than three points of weight 1 has no transform. A limb missing from the source is replaced by
    its twin (Sec. 4.2); one missing from the target stays missing.

    Args:
        source: (B, 18) pose of the source image.
        target: (B, 18) pose of the target image.
        symmetry: whether a twin stands in.
        convention: the head by its joints and the shoulders (released), or by the corners of the rectangle around its
            joints (text); sizes of the limbs.

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

    points = _head_corners if convention == "paper" else _head_points
    targets[:, 1], sources[:, 1], weights[:, 1] = points(source, target)

    # Limbs: the four corners of their rectangles.
    start, end = [limb[0] for limb in LIMBS], [limb[1] for limb in LIMBS]
    in_target = target.visible[:, start] & target.visible[:, end]
    own = source.visible[:, start] & source.visible[:, end]
    twin = own[:, list(TWIN)] & symmetry
    own_joints = own[..., None]
    source_start = torch.where(own_joints, p[:, start], p[:, start][:, list(TWIN)])
    source_end = torch.where(own_joints, p[:, end], p[:, end][:, list(TWIN)])
    limb = LIMB_SIZES[convention]
    half_target, half_source = (limb.half_width * limb.scale(pose).double() for pose in (target, source))
    lengths = (limb.lengthen_start, limb.lengthen_transform)
    targets[:, 2:, :4] = limb_rectangles(q[:, start], q[:, end], half_target, *lengths)
    sources[:, 2:, :4] = limb_rectangles(source_start, source_end, half_source, *lengths)
    weights[:, 2:, :4] = (in_target & (own | twin)).double()[..., None]
    return targets, sources, weights


def _head_points(source: Pose, target: Pose) -> tuple[Tensor, Tensor, Tensor]:
    """As released: the head's joints seen in both images, and the shoulders to have enough of them."""
    head, shoulders = list(HEAD), list(SHOULDERS)
    in_both = target.visible & source.visible
    any_head = in_both[:, head].any(1, keepdim=True)
    weights = torch.cat([in_both[:, head], in_both[:, shoulders] & any_head], 1)
    return target.joints.double()[:, head + shoulders], source.joints.double()[:, head + shoulders], weights.double()


def _head_corners(source: Pose, target: Pose) -> tuple[Tensor, Tensor, Tensor]:
    """As in the text: corners of the axis-aligned rectangle around the joints that each image shows."""
    corners, whole = [], torch.ones(len(source), dtype=torch.bool, device=source.joints.device)
    for pose in (target, source):
        joints, seen = pose.joints.double()[:, list(HEAD)], pose.visible[:, list(HEAD), None]
        low = joints.masked_fill(~seen, torch.inf).amin(1)
        high = joints.masked_fill(~seen, -torch.inf).amax(1)
        whole &= (high > low).all(-1)
        box = torch.stack(
            [low, torch.stack([high[:, 0], low[:, 1]], -1), high, torch.stack([low[:, 0], high[:, 1]], -1)], 1
        )
        corners.append(torch.cat([box, box[:, :3]], 1).masked_fill(~whole[:, None, None], 0))
    weights = torch.zeros(len(source), POINTS, dtype=torch.double, device=source.joints.device)
    weights[:, :4] = whole.double()[:, None]
    return corners[0], corners[1], weights


def whole_body(source: Pose, target: Pose) -> tuple[Tensor, Tensor, Tensor]:
    """One region for the whole person: the torso's four joints, and the knees that both images show, as released.

    Returns:
        as `correspondences`, with one region of six points.
    """
    joints = list(TORSO + KNEES)
    seen = (source.visible & target.visible)[:, joints]
    seen = seen & (source.has_torso() & target.has_torso())[:, None]
    return target.joints.double()[:, None, joints], source.joints.double()[:, None, joints], seen.double()[:, None]


def region_masks(target: Pose, size: tuple[int, int]) -> Tensor:
    """Masks of the ten regions in the target image, as released.

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
    scale = torso_sides(target).double()
    masks = torch.zeros(len(joints), len(PARTS), height, width, dtype=torch.bool, device=joints.device)
    masks[:, 0] = True

    seen = target.visible[:, list(HEAD)]
    centre = (joints[:, list(HEAD)] * seen[..., None]).sum(1) / seen.sum(1, keepdim=True).clamp_min(1)
    centre, half = centre.floor(), (HEAD_HALF_SIDE * scale).floor()[:, None]
    in_x = (x >= centre[:, :1] - half) & (x < centre[:, :1] + half)
    in_y = (y >= centre[:, 1:] - half) & (y < centre[:, 1:] + half) & seen.any(1, keepdim=True)
    masks[:, 1] = in_y[:, :, None] & in_x[:, None, :]

    start, end = [limb[0] for limb in LIMBS], [limb[1] for limb in LIMBS]
    limb = LIMB_SIZES["released"]
    corners = limb_rectangles(
        joints[:, start], joints[:, end], limb.half_width * scale, limb.lengthen_start, limb.lengthen_mask
    )
    masks[:, 2:] = (target.visible[:, start] & target.visible[:, end])[..., None, None]
    masks[:, 2:] &= _inside(corners, x[None, :], y[:, None])
    return masks


def source_masks(affine: Tensor, corners: Tensor, size: tuple[int, int]) -> Tensor:
    """Masks of the ten regions, drawn in the source image and warped with it, as in the text (Eq. 3).

    Args:
        affine: (B, 10, 2, 3) target to source pixels.
        corners: (B, 10, 4, 2) of the regions in the source image; the torso's, which is the whole image, do not count.
        size: (H, W) of the image.

    Returns:
        (B, 10, H, W) bool: whether the source pixel that is read lies in the region.
    """
    height, width = size
    x = torch.arange(width, device=affine.device, dtype=affine.dtype)
    y = torch.arange(height, device=affine.device, dtype=affine.dtype)
    from_x, from_y = (
        (row[..., 0, None, None] * x + row[..., 1, None, None] * y[:, None] + row[..., 2, None, None]).round()
        for row in affine.unbind(2)
    )
    masks = _inside(corners, from_x, from_y)
    masks[:, 0] = True
    return masks


def _inside(corners: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Which pixels are inside rectangles: within half a side of their centre along both of their axes.

    Args:
        corners: (B, R, 4, 2) in order around the rectangle.
        x: of the pixels, something that broadcasts to (B, R, H, W).
        y: the same.

    Returns:
        (B, R, H, W) bool; nothing is inside a rectangle without area.
    """
    centre = corners.mean(2)
    across, down = x - centre[..., 0, None, None], y - centre[..., 1, None, None]
    inside = torch.ones((), dtype=torch.bool, device=corners.device)
    for half_side in ((corners[:, :, 3] - corners[:, :, 0]) / 2, (corners[:, :, 0] - corners[:, :, 1]) / 2):
        projection = across * half_side[..., 0, None, None] + down * half_side[..., 1, None, None]
        square = (half_side**2).sum(-1)[..., None, None]
        inside = inside & (projection.abs() <= square + 1e-9) & (square > 1e-9)
    return inside
