import pytest
import torch
from conftest import random_poses
from skimage.draw import polygon2mask

from augment.body_parts import (
    HEAD,
    LENGTHEN_END_MASK,
    LIMBS,
    PARTS,
    TWIN,
    correspondences,
    limb_rectangles,
    region_masks,
    torso_scale,
)
from augment.poses import INDEX, Pose

SIZE = (128, 64)


def corners(pose, row, limb, lengthen_end):
    """A limb's rectangle, by plain arithmetic."""
    joints = pose.joints[row].double()
    start, end = joints[LIMBS[limb][0]], joints[LIMBS[limb][1]]
    hips, shoulders = (
        [joints[INDEX[f"{s}_hip"]] for s in ("right", "left")],
        [joints[INDEX[f"{s}_shoulder"]] for s in ("right", "left")],
    )
    scale = (sum(float((h - s) @ (h - s)) for h, s in zip(hips, shoulders, strict=True)) / 2) ** 0.5
    start = start + 0.1 * (start - end)
    end = end + lengthen_end * (end - start)
    direction = (start - end) / (start - end).norm()
    across = 0.2 * scale * torch.stack([-direction[1], direction[0]])
    return torch.stack([start + across, start - across, end - across, end + across])


def test_order_of_parts_and_twins():
    assert PARTS[2:4] == ("right_upper_leg", "left_upper_leg")
    assert [PARTS[2 + twin] for twin in TWIN[:2]] == ["left_upper_leg", "right_upper_leg"]
    for limb, (start, end) in enumerate(LIMBS):
        other = LIMBS[TWIN[limb]]
        names = [name for name in INDEX if INDEX[name] in (start, end)]
        assert sorted(
            INDEX[n.replace("right", "x").replace("left", "right").replace("x", "left")] for n in names
        ) == sorted(other)


def test_rectangles():
    pose = random_poses(3, seed=0)
    start, end = [limb[0] for limb in LIMBS], [limb[1] for limb in LIMBS]
    joints = pose.joints.double()
    got = limb_rectangles(joints[:, start], joints[:, end], torso_scale(pose).double(), LENGTHEN_END_MASK)
    for row in range(3):
        for limb in range(8):
            expected = corners(pose, row, limb, LENGTHEN_END_MASK[limb])
            torch.testing.assert_close(got[row, limb], expected, atol=1e-5, rtol=0)


def test_limbs_correspond_by_the_corners_of_their_rectangles():
    source, target = random_poses(3, seed=8, missing=0), random_poses(3, seed=9, missing=0)
    targets, sources, weights = correspondences(source, target)
    assert weights[:, 2:].sum() == 3 * 8 * 4
    for row in range(3):
        for limb in range(8):
            lengthen = 0.1 if "upper" in PARTS[2 + limb] else 0.3
            for got, pose in ((targets, target), (sources, source)):
                torch.testing.assert_close(
                    got[row, 2 + limb, :4], corners(pose, row, limb, lengthen), atol=1e-5, rtol=0
                )


def test_a_limb_of_no_length_has_no_mask():
    pose = random_poses(1, seed=0, missing=0)
    pose.joints[0, INDEX["left_wrist"]] = pose.joints[0, INDEX["left_elbow"]]
    assert not region_masks(pose, SIZE)[0, PARTS.index("left_lower_arm")].any()


def test_masks_against_polygons():
    pose = random_poses(6, seed=1)
    masks = region_masks(pose, SIZE)
    assert masks.shape == (6, 10, *SIZE)
    assert masks[:, 0].all(), "the torso takes the background along"
    differing = 0
    for row in range(6):
        for limb, (start, end) in enumerate(LIMBS):
            if not (pose.visible[row, start] and pose.visible[row, end]):
                assert not masks[row, 2 + limb].any()
                continue
            polygon = corners(pose, row, limb, LENGTHEN_END_MASK[limb]).flip(1).numpy()
            differing += int((masks[row, 2 + limb].numpy() != polygon2mask(SIZE, polygon)).sum())
    assert differing <= 20, "pixels on an edge may fall either way"


def test_head_is_a_square_around_its_visible_joints():
    pose = random_poses(4, seed=2, missing=0.5)
    masks = region_masks(pose, SIZE)
    for row in range(4):
        seen = [joint for joint in HEAD if pose.visible[row, joint]]
        ys, xs = masks[row, 1].nonzero(as_tuple=True)
        if not seen:
            assert len(ys) == 0
            continue
        x, y = pose.joints[row, seen].double().mean(0).floor().int().tolist()
        half = int(0.4 * torso_scale(pose)[row].double())
        assert (xs.min(), xs.max()) == (max(x - half, 0), min(x + half, 64) - 1)
        assert (ys.min(), ys.max()) == (max(y - half, 0), min(y + half, 128) - 1)


def hide(pose, *names):
    visible = pose.visible.clone()
    for name in names:
        visible[:, INDEX[name]] = False
    return Pose(pose.joints, visible)


def test_twin_stands_in_for_a_limb_missing_from_the_source_only():
    source, target = random_poses(1, 3, missing=0), random_poses(1, 4, missing=0)
    arm, twin = PARTS.index("right_lower_arm"), PARTS.index("left_lower_arm")
    _, own, _ = correspondences(source, target)
    targets, mended, weights = correspondences(hide(source, "right_wrist"), target)
    assert weights[0, arm].sum() == 4
    torch.testing.assert_close(mended[0, arm], own[0, twin])
    torch.testing.assert_close(mended[0, twin], own[0, twin])
    # Missing from the target: no transform, whatever the twin.
    assert correspondences(source, hide(target, "right_wrist"))[2][0, arm].sum() == 0
    # Both missing from the source: no transform.
    assert correspondences(hide(source, "right_wrist", "left_wrist"), target)[2][0, arm].sum() == 0
    # Nothing missing: the twin is not used.
    assert not torch.allclose(own[0, arm], own[0, twin])
    assert targets.shape == (1, 10, 7, 2)


def test_head_uses_joints_of_both_images_and_the_shoulders():
    source, target = random_poses(1, 5, missing=0), random_poses(1, 6, missing=0)
    head = PARTS.index("head")
    assert correspondences(source, target)[2][0, head].tolist() == [1] * 7
    weights = correspondences(hide(source, "nose"), hide(target, "left_ear"))[2][0, head]
    assert weights.tolist() == [0, 1, 1, 1, 0, 1, 1]
    unseen = hide(source, "nose", "right_eye", "left_eye", "right_ear", "left_ear")
    assert correspondences(unseen, target)[2][0, head].sum() == 0


@pytest.mark.parametrize("count", [1, 3])
def test_scale_is_that_of_the_torsos_sides(count):
    pose = random_poses(count, 7)
    sides = [
        (pose.joints[:, INDEX[f"{side}_hip"]] - pose.joints[:, INDEX[f"{side}_shoulder"]]).pow(2).sum(1)
        for side in ("right", "left")
    ]
    torch.testing.assert_close(torso_scale(pose), ((sides[0] + sides[1]) / 2).sqrt())
