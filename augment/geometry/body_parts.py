"""The ten body regions, made from the 18 joints (Sec. 3.1), and the rule of symmetry (Sec. 4.2).

A body is roughly a set of rigid parts, so one affine map for each part approximates its deformation from one pose to
another. A limb that was not detected in the source image has no map; the rule of symmetry then reads the same limb of
the other side, its twin, because the two sides of a person mostly look alike.

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
# First and second joint of each of the eight limbs, in the order of PARTS.
LIMBS = tuple(
    (INDEX[f"{side}_{start}"], INDEX[f"{side}_{end}"])
    for start, end in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
    for side in ("right", "left")
)
TWIN = (1, 0, 3, 2, 5, 4, 7, 6)  # index of the same limb of the other side
UPPER = (True, True, False, False) * 2  # whether a limb is an upper leg or an upper arm

KNEES = (INDEX["right_knee"], INDEX["left_knee"])
HEAD_HALF_SIDE = 0.4  # half the side of the head's square, in units of `torso_sides`, as released
POINTS = 7  # most points that a region's map is fitted to: the head's five joints and two shoulders


def torso_sides(pose: Pose) -> Tensor:
    """(...) root mean square length of the torso's two sides (hip to shoulder), in pixels: the released body scale."""
    right_hip, left_hip, left_shoulder, right_shoulder = (pose.joints[..., joint, :] for joint in TORSO)
    right = ((right_hip - right_shoulder) ** 2).sum(-1)
    left = ((left_hip - left_shoulder) ** 2).sum(-1)
    return ((right + left) / 2).sqrt()


def torso_diagonals(pose: Pose) -> Tensor:
    """(...) mean length of the torso's two diagonals (hip to opposite shoulder), in pixels: the text's body scale."""
    right_hip, left_hip, left_shoulder, right_shoulder = (pose.joints[..., joint, :] for joint in TORSO)
    return ((right_hip - left_shoulder).norm(dim=-1) + (left_hip - right_shoulder).norm(dim=-1)) / 2


@dataclass(frozen=True)
class LimbSize:
    """Size of the rectangle around a limb, relative to the body and to the distance between the limb's two joints."""

    scale: Callable[[Pose], Tensor]  # the body's scale in pixels
    half_width: float  # in units of the scale
    lengthen_start: float  # how far it reaches beyond the first joint, as a fraction of the limb's length
    # The same beyond the second joint, for each limb. As released, lower limbs reach further, so that hands and feet,
    # which have no joints, go with them; in masks further than in the fit of the map.
    lengthen_transform: tuple[float, ...]
    lengthen_mask: tuple[float, ...]


RELEASED_LIMBS = LimbSize(
    torso_sides,
    half_width=0.2,
    lengthen_start=0.1,
    lengthen_transform=tuple(0.1 if upper else 0.3 for upper in UPPER),
    lengthen_mask=tuple(0.1 if upper else 0.5 for upper in UPPER),
)
LIMB_SIZES: dict[Convention, LimbSize] = {
    "released": RELEASED_LIMBS,
    "gaussian": RELEASED_LIMBS,
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
        lengthen_start: how far rectangles reach beyond `start`, as a fraction of the limb's length.
        lengthen_end: the same beyond `end` for each limb, as a fraction of the length after lengthening the start.

    Returns:
        (B, 8, 4, 2) corners in order around the rectangle: two at the start, two at the end.
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
    """Corresponding points of each region in the target and in the source pose, to fit its affine map to.

    The torso has its four joints, a limb the corners of its rectangle. A region with fewer than three points of weight
    1 has no map. A limb unknown in the source is replaced by its twin (Sec. 4.2); one unknown in the target is not
    drawn, so it has no map even where the source shows it.

    Args:
        source: (B, 18) pose of the source image.
        target: (B, 18) pose of the target image.
        symmetry: whether twins replace limbs that are unknown in the source (Table 9).
        convention: `released` fits the head to its joints and the shoulders, `paper` to the corners of the rectangle
            around its joints; the two also differ in the limbs' sizes.

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
    twin = own[:, list(TWIN)] & symmetry  # used where `own` is false
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
    """As released: the head joints known in both images, and the shoulders, so that one head joint is enough."""
    head, shoulders = list(HEAD), list(SHOULDERS)
    in_both = target.visible & source.visible
    any_head = in_both[:, head].any(1, keepdim=True)
    weights = torch.cat([in_both[:, head], in_both[:, shoulders] & any_head], 1)
    return target.joints.double()[:, head + shoulders], source.joints.double()[:, head + shoulders], weights.double()


def _head_corners(source: Pose, target: Pose) -> tuple[Tensor, Tensor, Tensor]:
    """As in the text: corners of the axis-aligned rectangle around the head joints known in each image."""
    corners, has_area = [], torch.ones(len(source), dtype=torch.bool, device=source.joints.device)
    for pose in (target, source):
        joints, visible = pose.joints.double()[:, list(HEAD)], pose.visible[:, list(HEAD), None]
        low = joints.masked_fill(~visible, torch.inf).amin(1)
        high = joints.masked_fill(~visible, -torch.inf).amax(1)
        has_area &= (high > low).all(-1)
        box = torch.stack(
            [low, torch.stack([high[:, 0], low[:, 1]], -1), high, torch.stack([low[:, 0], high[:, 1]], -1)], 1
        )
        corners.append(torch.cat([box, box[:, :3]], 1).masked_fill(~has_area[:, None, None], 0))
    weights = torch.zeros(len(source), POINTS, dtype=torch.double, device=source.joints.device)
    weights[:, :4] = has_area.double()[:, None]
    return corners[0], corners[1], weights


def whole_body(source: Pose, target: Pose) -> tuple[Tensor, Tensor, Tensor]:
    """One region for the whole person: the torso's four joints, and the knees known in both images, as released.

    Returns:
        as `correspondences`, with one region of six points.
    """
    joints = list(TORSO + KNEES)
    known = (source.visible & target.visible)[:, joints]
    known = known & (source.has_torso() & target.has_torso())[:, None]
    return target.joints.double()[:, None, joints], source.joints.double()[:, None, joints], known.double()[:, None]


def region_masks(target: Pose, size: tuple[int, int]) -> Tensor:
    """Masks of the ten regions in the target image, as released.

    The torso's mask is the whole image, so that the texture of the background, which has no region of its own, moves
    along with the torso's map (Sec. 3.1). The head's mask is a square around the mean of its known joints, a limb's its
    rectangle; a region whose joints are unknown has an empty mask.

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

    visible = target.visible[:, list(HEAD)]
    centre = (joints[:, list(HEAD)] * visible[..., None]).sum(1) / visible.sum(1, keepdim=True).clamp_min(1)
    centre, half = centre.floor(), (HEAD_HALF_SIDE * scale).floor()[:, None]
    in_x = (x >= centre[:, :1] - half) & (x < centre[:, :1] + half)
    in_y = (y >= centre[:, 1:] - half) & (y < centre[:, 1:] + half) & visible.any(1, keepdim=True)
    masks[:, 1] = in_y[:, :, None] & in_x[:, None, :]

    start, end = [limb[0] for limb in LIMBS], [limb[1] for limb in LIMBS]
    limb = RELEASED_LIMBS
    corners = limb_rectangles(
        joints[:, start], joints[:, end], limb.half_width * scale, limb.lengthen_start, limb.lengthen_mask
    )
    masks[:, 2:] = (target.visible[:, start] & target.visible[:, end])[..., None, None]
    masks[:, 2:] &= _inside(corners, x[None, :], y[:, None])
    return masks


def source_masks(affine: Tensor, corners: Tensor, size: tuple[int, int]) -> Tensor:
    """Masks of the ten regions, defined in the source image and warped with it, as in the text (Eq. 3).

    Args:
        affine: (B, 10, 2, 3) target to source pixels.
        corners: (B, 10, 4, 2) of the regions in the source image; the torso's are not used: its mask is all ones.
        size: (H, W) of the image.

    Returns:
        (B, 10, H, W) bool, at each target pixel: whether the source pixel that it reads lies in the region.
    """
    height, width = size
    x = torch.arange(width, device=affine.device, dtype=affine.dtype)
    y = torch.arange(height, device=affine.device, dtype=affine.dtype)
    from_x, from_y = (
        (line[..., 0, None, None] * x + line[..., 1, None, None] * y[:, None] + line[..., 2, None, None]).round()
        for line in affine.unbind(2)
    )
    masks = _inside(corners, from_x, from_y)
    masks[:, 0] = True
    return masks


def _inside(corners: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Which pixels lie in rectangles: at most half a side from the centre along each of the rectangle's two axes.

    Args:
        corners: (B, R, 4, 2) in order around the rectangle.
        x: of the pixels; broadcasts to (B, R, H, W).
        y: of the pixels; broadcasts to (B, R, H, W).

    Returns:
        (B, R, H, W) bool; a rectangle without area contains nothing.
    """
    centre = corners.mean(2)
    across, down = x - centre[..., 0, None, None], y - centre[..., 1, None, None]
    inside = torch.ones((), dtype=torch.bool, device=corners.device)
    for half_side in ((corners[:, :, 3] - corners[:, :, 0]) / 2, (corners[:, :, 0] - corners[:, :, 1]) / 2):
        projection = across * half_side[..., 0, None, None] + down * half_side[..., 1, None, None]
        square = (half_side**2).sum(-1)[..., None, None]
        inside = inside & (projection.abs() <= square + 1e-9) & (square > 1e-9)
    return inside
