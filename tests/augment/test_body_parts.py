import numpy as np
import pytest
import torch
from poses import random_poses
from skimage.draw import polygon2mask

from augment.geometry.body_parts import (
    HEAD,
    LIMB_SIZES,
    LIMBS,
    PARTS,
    TWIN,
    correspondences,
    limb_rectangles,
    region_masks,
    torso_sides,
    whole_body,
)
from augment.geometry.warping import part_transforms
from augment.poses import INDEX, Pose

SIZE = (128, 64)
MASK_LENGTHS = LIMB_SIZES["released"].lengthen_mask


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
    half_width = 0.2 * torso_sides(pose).double()
    got = limb_rectangles(joints[:, start], joints[:, end], half_width, 0.1, MASK_LENGTHS)
    for row in range(3):
        for limb in range(8):
            expected = corners(pose, row, limb, MASK_LENGTHS[limb])
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
            polygon = corners(pose, row, limb, MASK_LENGTHS[limb]).flip(1).numpy()
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
        half = int(0.4 * torso_sides(pose)[row].double())
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
    torch.testing.assert_close(torso_sides(pose), ((sides[0] + sides[1]) / 2).sqrt())


def test_without_symmetry_no_twin_stands_in():
    source, target = random_poses(1, 3, missing=0), random_poses(1, 4, missing=0)
    arm, twin = PARTS.index("right_lower_arm"), PARTS.index("left_lower_arm")
    weights = correspondences(hide(source, "right_wrist"), target, symmetry=False)[2]
    assert weights[0, arm].sum() == 0
    assert weights[0, twin].sum() == 4
    masks = part_transforms(hide(source, "right_wrist"), target, SIZE, symmetry=False)[1]
    assert masks[0, arm].any(), "as released the mask stays; what is read inside it is zero"


def test_the_whole_body_is_torso_and_knees_of_both_images():
    source, target = random_poses(2, 5, missing=0), random_poses(2, 6, missing=0)
    targets, sources, weights = whole_body(hide(source, "left_knee"), target)
    names = ["right_hip", "left_hip", "left_shoulder", "right_shoulder", "right_knee", "left_knee"]
    joints = [INDEX[name] for name in names]
    assert torch.equal(targets[:, 0], target.joints[:, joints].double())
    assert torch.equal(sources[:, 0], source.joints[:, joints].double())
    assert weights[:, 0].tolist() == [[1, 1, 1, 1, 1, 0]] * 2
    affine, masks = part_transforms(source, target, SIZE, "whole")
    assert affine.shape == (2, 1, 2, 3)
    assert masks.shape == (2, 1, *SIZE)
    assert masks.all()
    assert not part_transforms(hide(source, "left_hip"), target, SIZE, "whole")[1].any()


class TestPaper:
    """Sizes and masks as the text has them."""

    def limb(self, pose, row, limb):
        """A limb's rectangle: a third of the torso's mean diagonal wide."""
        joints = {name: pose.joints[row, index].double() for name, index in INDEX.items()}
        diagonals = [
            float((joints["right_hip"] - joints["left_shoulder"]).norm()),
            float((joints["left_hip"] - joints["right_shoulder"]).norm()),
        ]
        half = sum(diagonals) / 2 / 3 / 2
        start, end = (pose.joints[row, joint].double() for joint in LIMBS[limb])
        direction = (start - end) / (start - end).norm()
        across = half * torch.stack([-direction[1], direction[0]])
        return torch.stack([start + across, start - across, end - across, end + across])

    def test_limbs(self):
        source, target = random_poses(3, 8, missing=0), random_poses(3, 9, missing=0)
        targets, sources, _ = correspondences(source, target, convention="paper")
        for row in range(3):
            for limb in range(8):
                for got, pose in ((targets, target), (sources, source)):
                    expected = self.limb(pose, row, limb)
                    torch.testing.assert_close(got[row, 2 + limb, :4], expected, atol=1e-4, rtol=0)

    def test_head_is_the_rectangle_around_its_joints(self):
        source, target = hide(random_poses(1, 5, missing=0), "nose"), random_poses(1, 6, missing=0)
        targets, sources, weights = correspondences(source, target, convention="paper")
        for got, pose in ((targets, target), (sources, source)):
            seen = pose.joints[0, [joint for joint in HEAD if pose.visible[0, joint]]].double()
            (left, top), (right, bottom) = seen.min(0)[0].tolist(), seen.max(0)[0].tolist()
            assert got[0, 1, :4].tolist() == [[left, top], [right, top], [right, bottom], [left, bottom]]
        assert weights[0, 1].tolist() == [1, 1, 1, 1, 0, 0, 0]
        alone = hide(source, "right_eye", "left_eye", "right_ear")
        targets, sources, weights = correspondences(alone, target, convention="paper")
        assert weights[0, 1].sum() == 0, "one joint has no rectangle"
        assert targets.isfinite().all()
        assert sources.isfinite().all()

    @pytest.mark.slow
    def test_masks_are_drawn_in_the_source_and_warped(self):
        source, target = random_poses(2, 10), random_poses(2, 11)
        affine, masks = part_transforms(source, target, SIZE, convention="paper")
        assert masks[:, 0].all()
        _, corners, weights = correspondences(source, target, convention="paper")
        differing = compared = 0
        for row, part in np.ndindex(2, 10):
            if part == 0:
                continue
            if weights[row, part].sum() == 0:
                assert not masks[row, part].any()
                continue
            drawn = polygon2mask(SIZE, corners[row, part, :4].flip(1).numpy())
            for y, x in np.ndindex(*SIZE):
                u, v = (float(a[0] * x + a[1] * y + a[2]) for a in affine[row, part])
                u, v = round(u), round(v)
                inside = 0 <= u < SIZE[1] and 0 <= v < SIZE[0] and bool(drawn[v, u])
                if 0 <= u < SIZE[1] and 0 <= v < SIZE[0]:
                    differing += inside != bool(masks[row, part, y, x])
                    compared += inside
        assert compared > 1500
        assert differing < 0.04 * compared, "pixels on an edge may fall either way"
