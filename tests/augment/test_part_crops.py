"""Body parts warped to squares, against equations solved and pixels read one by one."""

import numpy as np
import torch
from poses import random_poses

from augment.geometry.part_crops import from_square, part_crops, part_quads
from augment.poses import INDEX, Pose

SIDE = 8


def slow_homography(quad):
    """Eight equations in eight unknowns, one pair for each corner."""
    rows, values = [], []
    for (u, v), (x, y) in zip(((0, 0), (0, 1), (1, 1), (1, 0)), quad.tolist(), strict=True):
        rows += [[u, v, 1, 0, 0, 0, -x * u, -x * v], [0, 0, 0, u, v, 1, -y * u, -y * v]]
        values += [x, y]
    return np.append(np.linalg.solve(np.array(rows, dtype=np.float64), np.array(values)), 1.0).reshape(3, 3)


def slow_crop(image, quad):
    """Bilinear, with coordinates bounded to the image, which repeats its border."""
    channels, height, width = image.shape
    matrix = slow_homography(quad)
    found = np.zeros((channels, SIDE, SIDE))
    for row in range(SIDE):
        for column in range(SIDE):
            x, y, w = matrix @ [column / SIDE, row / SIDE, 1]
            x, y = min(max(x / w, 0), width - 1), min(max(y / w, 0), height - 1)
            left, top = min(int(x), width - 2), min(int(y), height - 2)
            right, down = x - left, y - top
            for (i, j), share in {
                (0, 0): (1 - right) * (1 - down),
                (0, 1): right * (1 - down),
                (1, 0): (1 - right) * down,
                (1, 1): right * down,
            }.items():
                found[:, row, column] += share * image[:, top + i, left + j]
    return found


def test_crops_against_slow_ones():
    poses = random_poses(4, 3, missing=0.25)
    images = torch.rand(4, 3, 128, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    crops = part_crops(images, poses, SIDE).unflatten(1, (8, 3))
    quads, known = part_quads(poses, 128)
    assert known.any(0).all()
    assert not known.all()
    for image in range(4):
        for part in range(8):
            expected = slow_crop(images[image].numpy(), quads[image, part]) if known[image, part] else 0.0
            np.testing.assert_allclose(crops[image, part], np.broadcast_to(expected, (3, SIDE, SIDE)), atol=2e-4)


def test_maps_of_the_square_against_solved_equations():
    quads = torch.tensor([[3.0, 4.0], [5.0, 40.0], [30.0, 37.0], [28.0, 6.0]]) + torch.randn(
        20, 4, 2, generator=torch.Generator().manual_seed(0)
    )
    for found, quad in zip(from_square(quads), quads, strict=True):
        np.testing.assert_allclose(found, slow_homography(quad), rtol=2e-3, atol=2e-4)


def pose_of(**places):
    pose = Pose(torch.zeros(1, 18, 2), torch.zeros(1, 18, dtype=torch.bool))
    for name, place in places.items():
        pose.joints[0, INDEX[name]] = torch.tensor(place)
        pose.visible[0, INDEX[name]] = True
    return pose


FACING = {
    "left_shoulder": (40.0, 30.0),
    "right_shoulder": (24.0, 30.0),
    "left_hip": (38.0, 60.0),
    "right_hip": (26.0, 60.0),
}


def test_corners_of_the_parts():
    pose = pose_of(**FACING, nose=(32.0, 20.0), left_elbow=(40.0, 42.0), right_knee=(26.0, 80.0))
    quads, known = part_quads(pose, 128)
    assert known[0].tolist() == [True, True, True, False, False, False, True, True]
    torso, head, upper_arm, *_, left_thigh, right_thigh = quads[0].tolist()
    assert torso == [[40, 30], [38, 60], [26, 60], [24, 30]]
    # The neck is (32, 30) and the nose 10 above it: 20 high and as wide, the person's left first, as of the torso.
    assert head == [[42, 10], [42, 30], [22, 30], [22, 10]]
    assert upper_arm == [[37, 30], [43, 30], [43, 42], [37, 42]]
    assert right_thigh == [[21, 60], [31, 60], [31, 80], [21, 80]]
    assert left_thigh == [[38 - 67 / 4, 60], [38 + 67 / 4, 60], [38 + 67 / 4, 127], [38 - 67 / 4, 127]]


def test_a_head_without_a_nose_is_on_the_shoulders():
    for places, corners in (
        (FACING, [[40, 14], [40, 30], [24, 30], [24, 14]]),
        (
            FACING | {"left_shoulder": (24.0, 30.0), "right_shoulder": (40.0, 30.0)},
            [[24, 14], [24, 30], [40, 30], [40, 14]],
        ),
    ):
        assert part_quads(pose_of(**places), 128)[0][0, 1].tolist() == corners


def test_parts_that_are_lines_are_grey_and_all_is_finite():
    places = {name: (32.0, y) for name, (_, y) in FACING.items()}
    images = torch.ones(1, 3, 128, 64)
    crops = part_crops(images, pose_of(**places), SIDE).unflatten(1, (8, 3))
    assert crops.isfinite().all()
    assert (crops[0, :2] == 0).all()
    sideways = pose_of(**FACING | {"right_shoulder": (40.0, 30.0)})  # a triangle: the map has a pole at a corner
    assert part_crops(images, sideways, SIDE).isfinite().all()
