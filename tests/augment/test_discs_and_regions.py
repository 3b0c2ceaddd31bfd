"""What PG2 and DPIG are given of a pose: discs, the coarse mask, and body regions."""

import math

import numpy as np
import pytest
import torch
from poses import random_poses
from scipy.ndimage import grey_dilation, grey_erosion

from augment.geometry.body_regions import REGIONS, crop, region_boxes
from augment.geometry.discs import coarse_mask, discs
from augment.geometry.limbs import LIMBS
from augment.poses import Pose
from augment.poses.pose import INDEX, JOINTS

SIZE = (64, 32)


def poses(count=4):
    """Random poses, some of them partly outside and with unknown joints."""
    random = torch.Generator().manual_seed(0)
    joints = torch.rand(count, 18, 2, generator=random) * torch.tensor([40.0, 72.0]) - 4
    return Pose(joints, torch.rand(count, 18, generator=random) < 0.7)


def slow_disc(x, y, radius):
    """Pixels within the radius of a truncated point."""
    found = np.zeros(SIZE, bool)
    for row in range(SIZE[0]):
        for column in range(SIZE[1]):
            found[row, column] = (row - math.trunc(y)) ** 2 + (column - math.trunc(x)) ** 2 <= radius**2
    return found


def test_discs():
    given = poses(1)
    maps = discs(given, SIZE, radius=3)[0]
    for joint in range(18):
        expected = slow_disc(*given.joints[0, joint].tolist(), 3) & bool(given.visible[0, joint])
        assert ((maps[joint] == 1).numpy() == expected).all()
    assert set(maps.unique().tolist()) == {-1.0, 1.0}


@pytest.mark.parametrize("radius", [4, 7])
def test_coarse_mask(radius):
    given = poses(3)
    found = coarse_mask(given, SIZE, radius)
    for person in range(3):
        expected = np.zeros(SIZE, bool)
        for start, end in LIMBS:
            if not (given.visible[person, start] and given.visible[person, end]):
                continue
            (x0, y0), (x1, y1) = given.joints[person, [start, end]].tolist()
            steps = max(1, int(math.hypot(x1 - x0, y1 - y0) / radius))
            for step in range(steps + 1):
                place = (x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps)
                expected |= slow_disc(*place, radius)
        square = np.ones((5, 5), bool)
        padded = np.pad(expected, 8).astype(float)
        padded = grey_dilation(padded, footprint=square)[8:-8, 8:-8]
        closed = grey_erosion(np.pad(padded, 8, constant_values=1), footprint=square)[8:-8, 8:-8]
        different = (closed.astype(bool) != found[person].numpy()).sum()
        assert different <= 4, "but for rounding of places between the joints"
    assert 0.1 < found.float().mean() < 0.95


def test_the_limbs_are_the_released_ones():
    """As they are listed there, counted from 1."""
    listed = "2-3 2-6 3-4 4-5 6-7 7-8 2-9 9-10 10-11 2-12 12-13 13-14 2-1 1-15 15-17 1-16 16-18 2-17 2-18"
    listed += " 9-12 12-6 9-3 17-18"
    assert [f"{start + 1}-{end + 1}" for start, end in LIMBS] == listed.split()


def test_region_boxes():
    given = poses(5)
    given.visible[0] = False
    boxes, visible = region_boxes(given, SIZE)
    for person in range(5):
        for region, names in enumerate(REGIONS.values()):
            known = [INDEX[name] for name in names if given.visible[person, INDEX[name]]]
            assert visible[person, region] == bool(known)
            if not known:
                assert boxes[person, region].tolist() == [0, 0, 1, 1]
                continue
            margin = 10 if len(known) == 1 else 6
            points = given.joints[person, known].numpy()
            low, high = points.min(0) - margin, points.max(0) + margin
            expected = [*np.clip(low, 0, (31, 63)), *np.clip(high, 0, (31, 63))]
            np.testing.assert_allclose(boxes[person, region], expected, rtol=1e-6)


def test_every_joint_is_in_a_region():
    assert {name for names in REGIONS.values() for name in names} == set(JOINTS)


def test_crops_by_a_slow_loop():
    torch.manual_seed(0)
    maps = torch.rand(2, 3, 20, 10)
    boxes = torch.tensor([[[1.0, 2.0, 7.5, 11.0], [0.0, 0.0, 1.0, 1.0]], [[0.0, 0.0, 9.0, 19.0], [3.2, 4.1, 3.2, 4.1]]])
    found = crop(maps, boxes, side=5)
    assert found.shape == (4, 3, 5, 5)
    for image in range(2):
        for region in range(2):
            left, top, right, bottom = boxes[image, region].tolist()
            for row in range(5):
                for column in range(5):
                    x, y = left + (right - left) * column / 4, top + (bottom - top) * row / 4
                    x0, y0 = min(int(x), 8), min(int(y), 18)
                    fx, fy = x - x0, y - y0
                    around = maps[image, :, y0 : y0 + 2, x0 : x0 + 2]
                    weights = torch.tensor([[(1 - fy) * (1 - fx), (1 - fy) * fx], [fy * (1 - fx), fy * fx]])
                    expected = (around * weights).sum((1, 2))
                    torch.testing.assert_close(found[2 * image + region, :, row, column], expected, atol=1e-5, rtol=0)


def test_crops_of_bfloat16_maps_are_from_exact_places():
    torch.manual_seed(0)
    maps = torch.rand(1, 2, 128, 64).bfloat16()
    boxes = torch.rand(1, 7, 4) * torch.tensor([30.0, 60.0, 30.0, 60.0]) + torch.tensor([0.0, 0.0, 33.0, 67.0])
    torch.testing.assert_close(crop(maps, boxes, 48), crop(maps.float(), boxes, 48).bfloat16())


def test_a_real_pose_has_all_regions():
    given = random_poses(3, 0)
    everything = Pose(given.joints, torch.ones_like(given.visible))
    _, visible = region_boxes(everything, (128, 64))
    assert visible.all()
