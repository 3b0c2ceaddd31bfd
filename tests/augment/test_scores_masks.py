import math

import numpy as np
import pytest
import torch
from poses import random_poses
from skimage.draw import polygon

from augment.poses import INDEX, Pose
from augment.scores.masks import masked, person_mask

SIZE = (128, 64)
# The released list, counted from 1; its joints are OpenPose's.
RELEASED_LIMBS = [
    (2, 3), (2, 6), (3, 4), (4, 5), (6, 7), (7, 8), (2, 9), (9, 10), (10, 11), (2, 12), (12, 13), (13, 14), (2, 1),
    (1, 15), (15, 17), (1, 16), (16, 18), (2, 17), (2, 18), (9, 12), (12, 6), (9, 3), (17, 18),
]  # fmt: skip


def bar(start, end):
    """Corners (4, 2) of the released bar between two joints, y then x."""
    f, t = start[::-1], end[::-1]
    across = f - t
    across = 4 * np.array([-across[1], across[0]]) / np.linalg.norm(across)
    return np.array([f + across, f - across, t - across, t + across])


def even_odd(corners, size=SIZE):
    """The pixels of a polygon as scikit-image 0.13.1 has them: an odd number of edges strictly to the right, each edge
    with its upper end and without its lower one."""
    mask = np.zeros(size, bool)
    low, high = np.floor(corners.min(0)).astype(int).clip(0), np.ceil(corners.max(0)).astype(int) + 1
    for row in range(low[0], min(high[0], size[0])):
        for column in range(low[1], min(high[1], size[1])):
            for (y0, x0), (y1, x1) in zip(corners, np.roll(corners, 1, axis=0), strict=True):
                if min(y0, y1) <= row < max(y0, y1) and column < (x1 - x0) * (row - y0) / (y1 - y0) + x0:
                    mask[row, column] ^= True
    return mask


def plain(joints, visible, rasterise=even_odd):
    """The released mask, pixel by pixel; joints (18, 2) x then y."""
    height, width = SIZE
    mask = np.zeros(SIZE, bool)
    for start, end in RELEASED_LIMBS:
        if visible[start - 1] and visible[end - 1] and (joints[start - 1] != joints[end - 1]).any():
            mask |= rasterise(bar(joints[start - 1], joints[end - 1]))
    for (x, y), seen in zip(joints, visible, strict=True):
        for row in range(height):
            for column in range(width):
                if seen and math.hypot(row - y, column - x) < 4:
                    mask[row, column] = True
    return eroded(dilated(mask))


def installed(corners):
    """The pixels of a polygon as the installed scikit-image has them: with all of its edges, unlike 0.13.1."""
    mask = np.zeros(SIZE, bool)
    mask[polygon(corners[:, 0], corners[:, 1], SIZE)] = True
    return mask


def dilated(mask):
    height, width = mask.shape
    return np.array(
        [[mask[max(r - 2, 0) : r + 3, max(c - 2, 0) : c + 3].any() for c in range(width)] for r in range(height)]
    )


def eroded(mask):
    return ~dilated(~mask)


def test_the_slow_version_has_the_edges_of_scikit_image_0_13():
    """The example of its documentation; later versions have the corners and (4, 6), (6, 5) too."""
    rows = ["", "", "  11111", "  11111", "   111", "   111", "    1", "    1", "", ""]
    expected = np.array([[place == "1" for place in row.ljust(10)] for row in rows])
    corners = np.array([[1.0, 1], [2, 7], [8, 4], [1, 1]])
    np.testing.assert_array_equal(even_odd(corners, (10, 10)), expected)


def test_masks_are_the_released_ones():
    """Joints with fractions, no edge through a pixel's centre: any rasterisation is the same."""
    pose = random_poses(3, seed=3, missing=0.25)
    found = person_mask(pose, SIZE)
    assert found.shape == (3, *SIZE)
    assert found.dtype == torch.bool
    for mask, joints, visible in zip(found.numpy(), pose.joints.double().numpy(), pose.visible.numpy(), strict=True):
        np.testing.assert_array_equal(mask, plain(joints, visible))
        np.testing.assert_array_equal(mask, plain(joints, visible, installed))
        assert 0.1 < mask.mean() < 0.5


def test_on_whole_pixels_edges_are_the_released_ones():
    pose = random_poses(3, seed=1)
    whole = Pose(pose.joints.round(), pose.visible)
    found = person_mask(whole, SIZE).numpy()
    later = 0
    for mask, joints, visible in zip(found, whole.joints.double().numpy(), whole.visible.numpy(), strict=True):
        np.testing.assert_array_equal(mask, plain(joints, visible))
        later += (mask != plain(joints, visible, installed)).sum()
    assert later > 0, "some edge should go through a pixel's centre"


def limb(start, end):
    """A pose of which only the neck and the right shoulder are visible."""
    pose = Pose(torch.zeros(1, 18, 2), torch.zeros(1, 18, dtype=torch.bool))
    for joint, place in (("neck", start), ("right_shoulder", end)):
        pose.joints[0, INDEX[joint]], pose.visible[0, INDEX[joint]] = torch.tensor(place), True
    return pose


@pytest.mark.parametrize("end", [(30, 80), (30, 40), (50, 60), (10, 60), (42, 76), (18, 44), (38, 60), (60, 100)])
def test_limbs_of_any_direction(end):
    """Level, upright and inclined, among them 3:4, whose edges go through pixels too."""
    pose = limb((30.0, 60.0), tuple(map(float, end)))
    expected = plain(pose.joints[0].double().numpy(), pose.visible[0].numpy())
    np.testing.assert_array_equal(person_mask(pose, SIZE)[0].numpy(), expected)


def test_left_and_upper_edges_belong_to_a_bar():
    level = person_mask(limb((20.0, 50.0), (40.0, 50.0)), SIZE)[0, :, 30].nonzero()
    assert (level.min(), level.max()) == (46, 53)
    upright = person_mask(limb((20.0, 50.0), (20.0, 70.0)), SIZE)[0, 60].nonzero()
    assert (upright.min(), upright.max()) == (16, 23)


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
