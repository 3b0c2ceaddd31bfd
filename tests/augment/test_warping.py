import warnings

import numpy as np
import pytest
import torch
from poses import random_poses
from skimage.transform import AffineTransform

from augment.geometry.affine import NOWHERE, fit_affine, limit_stretch
from augment.geometry.body_parts import correspondences
from augment.geometry.warping import part_transforms, routes, warp
from augment.poses import TORSO, Pose

SIZE = (128, 64)


def estimate(target, source):
    """scikit-image's estimate, which is what the released code calls."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return AffineTransform.from_estimate(target, source).params[:2]


def test_fit_is_scikit_images_estimate():
    targets, sources, weights = correspondences(random_poses(8, 0), random_poses(8, 1))
    affine = fit_affine(targets, sources, weights)
    compared = 0
    for index in np.ndindex(8, 10):
        kept = weights[index].bool()
        if kept.sum() < 3:
            assert affine[index].tolist() == [list(line) for line in NOWHERE]
            continue
        expected = estimate(targets[index][kept].numpy(), sources[index][kept].numpy())
        np.testing.assert_allclose(affine[index], expected, atol=1e-6)
        compared += 1
    assert compared > 60


def test_fit_is_exact_where_points_are():
    random = torch.Generator().manual_seed(0)
    target = torch.randn(5, 6, 2, generator=random).double() * 20
    matrix = torch.randn(5, 2, 3, generator=random).double()
    source = target @ matrix[..., :2].mT + matrix[..., None, :, 2]
    torch.testing.assert_close(fit_affine(target, source, torch.ones(5, 6)), matrix)


def test_points_of_weight_zero_do_not_count():
    targets, sources, _ = correspondences(random_poses(1, 0, missing=0), random_poses(1, 1, missing=0))
    weights = torch.tensor([1.0, 1, 1, 0, 1, 0, 1])
    kept = weights.bool()
    disturbed = sources[0, 1].clone()
    disturbed[~kept] += 50
    expected = fit_affine(targets[0, 1, kept], sources[0, 1, kept], torch.ones(5))
    torch.testing.assert_close(fit_affine(targets[0, 1], disturbed, weights), expected)


def extremes(lengths):
    return [float(lengths.min()), float(lengths.max())]


def test_a_limit_of_stretch_by_angles():
    """Of each map every direction: no unit vector becomes longer than the limit, nor shorter than its inverse."""
    random = torch.Generator().manual_seed(0)
    affine = torch.randn(40, 2, 3, generator=random).double() * torch.tensor([2.0, 2, 30])
    centre = torch.rand(40, 2, generator=random).double() * 64
    limited = limit_stretch(affine, centre, 1.5)
    angles = torch.linspace(0, torch.pi, 721).double()
    circle = torch.stack([angles.cos(), angles.sin()])
    changed = 0
    for before, after, point in zip(affine, limited, centre, strict=True):
        shortest, longest = extremes((before[:, :2] @ circle).norm(dim=0))
        if longest <= 1.5 and shortest >= 1 / 1.5:
            torch.testing.assert_close(after, before)
            continue
        changed += 1
        expected = [min(1.5, max(length, 1 / 1.5)) for length in (shortest, longest)]
        assert extremes((after[:, :2] @ circle).norm(dim=0)) == pytest.approx(expected, rel=1e-3)
        homogeneous = torch.cat([point, torch.ones(1).double()])
        torch.testing.assert_close(after @ homogeneous, before @ homogeneous)
        assert torch.linalg.det(after[:, :2]).sign() == torch.linalg.det(before[:, :2]).sign()
    assert 10 < changed < 40


def test_regions_are_stretched_no_further_than_the_limit():
    joints = random_poses(3, 0, missing=0).joints
    joints[:, list(TORSO)] = torch.tensor([[31.0, 60], [33, 60], [32.5, 30], [31.2, 30]])  # seen from the side
    thin, wide = Pose(joints, torch.ones(3, 18, dtype=torch.bool)), random_poses(3, 1, missing=0)
    free, masks = part_transforms(thin, wide, SIZE)
    limited, same_masks = part_transforms(thin, wide, SIZE, stretch=2.0)
    assert torch.linalg.svdvals(free[:, 0, :, :2]).amin() < 0.3
    known = limited[..., 2].abs().amax(-1) < 1e5  # the others are NOWHERE
    values = torch.linalg.svdvals(limited[known][..., :2])
    assert values.amin() > 1 / 2 - 1e-6
    assert values.amax() < 2 + 1e-6
    assert torch.equal(masks, same_masks)
    torso = list(TORSO)
    centre = torch.cat([wide.joints[:, torso].double().mean(1), torch.ones(3, 1)], 1)[..., None]
    torch.testing.assert_close(limited[:, 0] @ centre, free[:, 0] @ centre)


LINES = {
    "along x": [[10.0, 7], [12, 7], [11, 7], [30, 7]],
    "oblique": [[0.0, 0], [1, 1], [2, 2], [5, 5]],
    "rounded": [[3 + k * 1.1, 90 - k * 0.7] for k in (0, 4, 21, 30)],  # on a line but for the joints' precision
    "far off": [[2000 + k / 3, 1000 + k / 7] for k in (0, 4, 21, 30)],
    "one point": [[8.0, 9]] * 4,
}
CONVENTIONS = ["released", "gaussian", "paper"]


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("line", LINES)
def test_points_on_a_line_have_no_map_in_either_image(line, convention):
    collinear, ordinary = torch.tensor(LINES[line]), torch.tensor([[27.0, 60], [37, 61], [40, 29], [24, 30]])
    for target, source in [(collinear, ordinary), (ordinary, collinear), (collinear, collinear)]:
        affine = fit_affine(target, source, torch.ones(4), convention)
        assert affine.tolist() == [list(row) for row in NOWHERE]
    targets, moved = torch.stack([ordinary] * 2), ordinary + 1
    beside_it, beside_another = (
        fit_affine(targets, torch.stack([other, moved]), torch.ones(2, 4), convention) for other in (collinear, moved)
    )
    assert torch.equal(beside_it[1], beside_another[1]), "the others of a batch are as they would be"


@pytest.mark.parametrize(("across", "has_map"), [(1e-4, False), (1e-2, True)])
def test_narrow_regions_have_maps(across, has_map):
    target = np.array([[27.0, 60], [37, 61], [40, 29], [24, 30]])
    source = np.array([[30 + across, 60], [30, 60], [30, 30], [30 + across, 30]])
    large, small = np.linalg.svd(source - source.mean(0), compute_uv=False)
    assert (small / large > 3.2e-5) == has_map
    affine = fit_affine(torch.from_numpy(target), torch.from_numpy(source), torch.ones(4))
    expected = estimate(target, source) if has_map else NOWHERE
    np.testing.assert_allclose(affine, expected, atol=1e-6)


def test_a_torso_on_a_line_is_left_out_of_the_picture():
    source, target = random_poses(1, 6, missing=0), random_poses(1, 7, missing=0)
    for joint in TORSO:
        source.joints[0, joint, 0] = 30.0  # seen from the side: one column of the picture
    affine, masks = part_transforms(source, target, SIZE)
    features = torch.rand(1, 2, *SIZE, generator=torch.Generator().manual_seed(0)) + 0.1
    assert not warp(features, routes(affine[:, :1], masks[:, :1])).any()
    assert warp(features, routes(affine, masks)).any(), "other regions are drawn"


def slow_ordinary_least_squares(target, source):
    """Eq. 2 as the text has it: normal equations of the map from source to target, then its inverse."""
    rows = [[x, y, 1.0] for x, y in source]
    forward = [np.linalg.lstsq(np.array(rows), target[:, axis], rcond=None)[0] for axis in (0, 1)]
    return np.linalg.inv(np.array([*forward, [0, 0, 1]]))[:2]


def test_the_text_fits_by_ordinary_least_squares_from_source_to_target():
    targets, sources, weights = correspondences(random_poses(8, 0), random_poses(8, 1))
    affine, released = (fit_affine(targets, sources, weights, convention) for convention in ("paper", "released"))
    differing = 0
    for index in np.ndindex(8, 10):
        kept = weights[index].bool()
        if kept.sum() < 3:
            assert affine[index].tolist() == [list(line) for line in NOWHERE]
            continue
        expected = slow_ordinary_least_squares(targets[index][kept].numpy(), sources[index][kept].numpy())
        np.testing.assert_allclose(affine[index], expected, atol=1e-6)
        differs = (affine[index] - released[index]).abs().max() > 1e-3
        assert not (differs and index[1] >= 2), "limbs fit exactly"
        differing += int(differs)
    assert differing == 16, "torso and head do not"


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_points_whose_best_map_folds_onto_a_line_have_none(convention):
    source = torch.tensor([[0.0, 0], [4, 0], [0, 4], [4, 4]])
    target = torch.tensor([[0.0, 3], [4, 0], [0, 0], [4, 3]])  # up and down have nothing to do with the source's
    assert fit_affine(target, source, torch.ones(4), convention).tolist() == [list(line) for line in NOWHERE]


def slow_warp(features, affine, masks, stride):
    """Eq. 3 and 4, part by part and pixel by pixel."""
    batch, channels, height, width = features.shape
    parts = torch.zeros(batch, 10, channels, height, width, dtype=features.dtype)
    for b, part, y, x in np.ndindex(batch, 10, height, width):
        if not masks[b, part, y * stride, x * stride]:
            continue
        a = affine[b, part]
        source_x = round(float(a[0, 0] * x + a[0, 1] * y + a[0, 2] / stride))
        source_y = round(float(a[1, 0] * x + a[1, 1] * y + a[1, 2] / stride))
        if 0 <= source_x < width and 0 <= source_y < height:
            parts[b, part, :, y, x] = features[b, :, source_y, source_x]
    return parts.amax(1)


@pytest.mark.parametrize("stride", [4, 8])
def test_warp_and_its_gradient_against_a_slow_version(stride):
    affine, masks = part_transforms(random_poses(2, 2), random_poses(2, 3), SIZE)
    random = torch.Generator().manual_seed(1)
    features = torch.randn(2, 3, SIZE[0] // stride, SIZE[1] // stride, generator=random, dtype=torch.float64)
    weight = torch.randn(features.shape, generator=random, dtype=torch.float64)
    fast, slow = features.clone().requires_grad_(), features.clone().requires_grad_()
    got, expected = warp(fast, routes(affine, masks, stride)), slow_warp(slow, affine, masks, stride)
    # A pixel exactly between two others may be read from either.
    assert (got != expected).double().mean() < 2e-3
    (got * weight * (got == expected)).sum().backward()
    (expected * weight * (got == expected)).sum().backward()
    torch.testing.assert_close(fast.grad, slow.grad)
    assert fast.grad.abs().sum() > 0


def test_gradient_numerically():
    affine, masks = part_transforms(random_poses(2, 4), random_poses(2, 5), SIZE)
    features = torch.randn(2, 2, 16, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    covering = routes(affine, masks, 8)
    assert torch.autograd.gradcheck(lambda x: warp(x, covering), features.requires_grad_(), eps=1e-7, atol=1e-5)


def test_moving_the_whole_pose_moves_the_map_by_as_much():
    source = random_poses(1, 6, missing=0)
    target = Pose(source.joints + torch.tensor([8.0, -16.0]), source.visible)
    affine, masks = part_transforms(source, target, SIZE)
    features = torch.rand(1, 4, 32, 16, generator=torch.Generator().manual_seed(3)) + 0.1
    moved = warp(features, routes(affine, masks, 4))
    assert torch.equal(moved[:, :, :28, 2:], features[:, :, 4:, :14])
    assert not moved[:, :, 28:].any()
    assert not moved[:, :, :, :2].any()


def test_no_target_index_comes_twice_in_a_pair():
    affine, masks = part_transforms(random_poses(4, 7), random_poses(4, 8), SIZE)
    covering = routes(affine, masks, 2)
    assert len(covering) >= 2
    for target, source in covering:
        assert len(target.unique()) == len(target)
        assert target.max() < 4 * 64 * 32 > source.max()
        assert torch.equal(target // (64 * 32), source // (64 * 32)), "a pixel reads from its own sample"


def test_without_transforms_nothing_is_read():
    nowhere = torch.tensor(NOWHERE).expand(1, 10, 2, 3)
    covering = routes(nowhere, torch.ones(1, 10, 16, 8, dtype=torch.bool))
    assert covering == []
    assert not warp(torch.rand(1, 3, 16, 8), covering).any()
