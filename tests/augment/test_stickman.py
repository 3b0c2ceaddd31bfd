"""The stickman against distances and polygons computed pixel by pixel."""

import math

import pytest
import torch
from poses import random_poses

from augment.geometry.stickman import stickman
from augment.poses import INDEX, Pose

SIZE = (128, 128)


def in_square(poses):
    return poses.scaled([(128, 64)], SIZE)


def joint(pose, name):
    return tuple(pose.joints[INDEX[name]].tolist()) if pose.visible[INDEX[name]] else None


def distance(x, y, start, end):
    """From a point to a segment, by the angles at its ends."""
    length = math.dist(start, end)
    along = ((x - start[0]) * (end[0] - start[0]) + (y - start[1]) * (end[1] - start[1])) / length
    if along <= 0:
        return math.dist((x, y), start)
    if along >= length:
        return math.dist((x, y), end)
    return math.sqrt(max(math.dist((x, y), start) ** 2 - along**2, 0))


def winding(x, y, corners):
    """How often a polygon goes around a point, by the sum of the angles."""
    total = 0.0
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        first, second = complex(ax - x, ay - y), complex(bx - x, by - y)
        turn = second / first
        total += math.atan2(turn.imag, turn.real)
    return round(total / (2 * math.pi))


def slow(pose, reach):
    lines = []
    neck = None
    if (left := joint(pose, "left_shoulder")) and (right := joint(pose, "right_shoulder")):
        neck = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2)
    for side in ("right", "left"):
        own = []
        for pair in ("ankle knee", "knee hip", "hip shoulder", "shoulder elbow", "elbow wrist"):
            start, end = (joint(pose, f"{side}_{name}") for name in pair.split())
            own.append((start, end, 1.0))
        own.append((neck, joint(pose, "nose"), 0.0))
        if joint(pose, "left_eye") and joint(pose, "right_eye"):
            own.append((joint(pose, "nose"), joint(pose, f"{side}_eye"), 1.0))
        lines.append([line for line in own if line[0] and line[1]])
    corners = [joint(pose, name) for name in ("left_hip", "left_shoulder", "right_shoulder", "right_hip")]
    found = torch.full((3, *SIZE), -1.0)
    for y in range(SIZE[0]):
        for x in range(SIZE[1]):
            for channel, own in enumerate(lines):
                for start, end, value in own:
                    if distance(x, y, start, end) <= reach:
                        found[channel, y, x] = value
            if all(corners):
                near = min(distance(x, y, *ends) for ends in zip(corners, corners[1:] + corners[:1], strict=True))
                if near <= 0.5 or winding(x, y, corners) % 2:
                    found[2, y, x] = 1.0
    return found


@pytest.mark.slow
def test_stickmen_pixel_by_pixel():
    """Also of somebody from behind, whose torso's outline goes round the other way; and of unknown joints."""
    poses = random_poses(3, 5, missing=0.3)
    poses = in_square(Pose(poses.joints, poses.visible))
    behind = poses.mirrored(128)
    for pose in (poses[0], behind[1]):
        found = stickman(Pose(pose.joints[None], pose.visible[None]), SIZE)[0]
        assert (found != slow(pose, 1.5)).sum() <= 3, "but for pixels whose distance is the reach, to rounding"


def test_what_is_drawn_where():
    pose = in_square(random_poses(1, 0, missing=0.0))
    drawn = stickman(pose, SIZE)
    assert set(drawn.unique().tolist()) == {-1.0, 0.0, 1.0}

    def at(channel, name):
        x, y = pose.joints[0, INDEX[name]].round().long().tolist()
        return drawn[0, channel, y, x].item()

    for own, other, side in ((0, 1, "right"), (1, 0, "left")):
        for name in ("ankle", "knee", "elbow", "wrist"):
            assert (at(own, f"{side}_{name}"), at(other, f"{side}_{name}"), at(2, f"{side}_{name}")) == (1, -1, -1)
    middle = pose.joints[0, [INDEX[name] for name in ("left_hip", "right_hip", "left_shoulder")]].mean(0).round().long()
    assert drawn[0, 2, middle[1], middle[0]] == 1


def test_parts_with_unknown_joints_are_left_out():
    pose = in_square(random_poses(1, 0, missing=0.0))
    whole = stickman(pose, SIZE)
    for name, channels in (("left_hip", {1, 2}), ("right_wrist", {0}), ("nose", {0, 1}), ("left_ear", set())):
        visible = pose.visible.clone()
        visible[0, INDEX[name]] = False
        less = stickman(Pose(pose.joints, visible), SIZE)
        assert {channel for channel in range(3) if not torch.equal(less[0, channel], whole[0, channel])} == channels
        assert (less <= whole).all() or name == "nose"
    nothing = stickman(Pose(pose.joints, torch.zeros_like(pose.visible)), SIZE)
    assert (nothing == -1).all()


def test_lines_grow_with_the_image():
    pose = Pose(torch.full((1, 18, 2), 100.0), torch.zeros(1, 18, dtype=torch.bool))
    pose.joints[0, INDEX["left_knee"], 1] = 140.0
    for name in ("left_knee", "left_ankle"):
        pose.visible[0, INDEX[name]] = True
    assert (stickman(pose, (256, 256))[0, 1, 120] == 1).sum() == 7  # 6 pixels wide, with both edges on centres
    assert (stickman(pose, (256, 128))[0, 1, 120] == 1).sum() == 3
