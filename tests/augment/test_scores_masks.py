import math

import numpy as np
import torch
from poses import random_poses
from skimage.draw import polygon

from augment.poses import Pose
from augment.scores.masks import masked, person_mask

SIZE = (128, 64)
# The released list, counted from 1; its joints are OpenPose's.
RELEASED_LIMBS = [
    (2, 3), (2, 6), (3, 4), (4, 5), (6, 7), (7, 8), (2, 9), (9, 10), (10, 11), (2, 12), (12, 13), (13, 14), (2, 1),
    (1, 15), (15, 17), (1, 16), (16, 18), (2, 17), (2, 18), (9, 12), (12, 6), (9, 3), (17, 18),
]  # fmt: skip


def plain(joints, visible):
    """The released mask, pixel by pixel; joints (18, 2) x then y."""
    height, width = SIZE
    mask = np.zeros(SIZE, bool)
    for start, end in RELEASED_LIMBS:
        if visible[start - 1] and visible[end - 1]:
            f, t = joints[start - 1][::-1], joints[end - 1][::-1]
            across = f - t
            across = 4 * np.array([-across[1], across[0]]) / np.linalg.norm(across)
            corners = np.array([f + across, f - across, t - across, t + across])
            mask[polygon(corners[:, 0], corners[:, 1], SIZE)] = True
    for (x, y), seen in zip(joints, visible, strict=True):
        for row in range(height):
            for column in range(width):
                if seen and math.hypot(row - y, column - x) < 4:
                    mask[row, column] = True
    return eroded(dilated(mask))


def dilated(mask):
    height, width = mask.shape
    return np.array(
        [[mask[max(r - 2, 0) : r + 3, max(c - 2, 0) : c + 3].any() for c in range(width)] for r in range(height)]
    )


def eroded(mask):
    return ~dilated(~mask)


def test_masks_are_the_released_ones():
    pose = random_poses(4, seed=3, missing=0.25)
    found = person_mask(pose, SIZE)
    assert found.shape == (4, *SIZE)
    assert found.dtype == torch.bool
    for mask, joints, visible in zip(found.numpy(), pose.joints.double().numpy(), pose.visible.numpy(), strict=True):
        np.testing.assert_array_equal(mask, plain(joints, visible))
        assert 0.1 < mask.mean() < 0.5


def test_on_whole_pixels_only_edges_may_differ():
    pose = random_poses(3, seed=1)
    whole = Pose(pose.joints.round(), pose.visible)
    found = person_mask(whole, SIZE).numpy()
    for mask, joints, visible in zip(found, whole.joints.double().numpy(), whole.visible.numpy(), strict=True):
        assert (mask != plain(joints, visible)).mean() < 0.002


def test_joints_at_one_place_outside_and_none_at_all():
    pose = random_poses(3, seed=0)
    joints, visible = pose.joints.clone(), pose.visible.clone()
    joints[0], visible[0] = torch.tensor([30.0, 60.0]), True
    joints[1] = torch.tensor([-40.0, 300.0])
    visible[2] = False
    mask = person_mask(Pose(joints, visible), SIZE)
    assert mask[0].sum() == 45, "a disc of pixels closer than 4, which a closing leaves as it is"
    assert mask[1:].sum() == 0


def test_outside_is_black():
    images = torch.randint(1, 256, (2, 3, *SIZE), dtype=torch.uint8)
    mask = person_mask(random_poses(2, seed=0), SIZE)
    shown = masked(images, mask)
    assert shown.dtype == torch.uint8
    assert torch.equal(shown.bool().any(1), mask)
    assert torch.equal(shown[:, 0][mask], images[:, 0][mask])
