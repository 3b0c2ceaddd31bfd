import numpy as np
import pytest
import torch
from poses import random_poses

from augment.geometry.affine import NOWHERE
from augment.geometry.warping import REGIONS, part_maps, part_transforms
from augment.networks.aggregation import AGGREGATIONS
from augment.poses import Pose

SIZE, STRIDE = (64, 32), 8


def poses(seed):
    """People half as large as usual."""
    pose = random_poses(2, seed)
    return Pose(pose.joints / 2, pose.visible)


def regions(kind="parts", convention="released"):
    return part_transforms(poses(0), poses(1), SIZE, kind, convention=convention)


def maps(seed=0, channels=3):
    random = torch.Generator().manual_seed(seed)
    return torch.randn(2, channels, SIZE[0] // STRIDE, SIZE[1] // STRIDE, generator=random, dtype=torch.float64)


def slow_read(features, x, y, interpolation):
    """One value a channel at a point (x, y) of (C, h, w); zero outside."""

    def pixel(u, v):
        inside = 0 <= u < features.shape[2] and 0 <= v < features.shape[1]
        return features[:, v, u] if inside else torch.zeros_like(features[:, 0, 0])

    if interpolation == "nearest":
        return pixel(round(x), round(y))
    left, top = int(np.floor(x)), int(np.floor(y))
    corners = [(u, v) for v in (top, top + 1) for u in (left, left + 1)]
    return sum((1 - abs(x - u)) * (1 - abs(y - v)) * pixel(u, v) for u, v in corners)


def slow_parts(features, affine, masks, interpolation):
    """Eq. 3, region by region and pixel by pixel."""
    batch, _, height, width = features.shape
    parts = torch.zeros(batch, affine.shape[1], *features.shape[1:], dtype=features.dtype)
    for b, part, y, x in np.ndindex(batch, affine.shape[1], height, width):
        if masks[b, part, y * STRIDE, x * STRIDE]:
            a = affine[b, part].tolist()
            u, v = (row[0] * x + row[1] * y + row[2] / STRIDE for row in a)
            parts[b, part, :, y, x] = slow_read(features[b], u, v, interpolation)
    return parts


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("kind", REGIONS)
def test_part_maps_and_their_gradient_against_a_slow_version(kind, interpolation):
    affine, masks = regions(kind)
    fast, slow = maps().requires_grad_(), maps().requires_grad_()
    got, expected = (
        part_maps(fast, affine, masks, STRIDE, interpolation),
        slow_parts(slow, affine, masks, interpolation),
    )
    assert got.shape == (2, REGIONS[kind], 3, 8, 4)
    torch.testing.assert_close(got, expected)
    weight = torch.randn(got.shape, generator=torch.Generator().manual_seed(9), dtype=got.dtype)
    (got * weight).sum().backward()
    (expected * weight).sum().backward()
    torch.testing.assert_close(fast.grad, slow.grad)
    assert fast.grad.abs().sum() > 0


def slow_released_gradient(weight, affine, masks, interpolation):
    """Each region's masked gradient (2, P, C, h, w) is read where the inverse map takes a source pixel."""
    batch, regions, _, height, width = weight.shape
    gradient = torch.zeros_like(weight[:, 0])
    for b, part, y, x in np.ndindex(batch, regions, height, width):
        whole = np.eye(3)
        whole[:2] = affine[b, part].numpy()
        whole[:2, 2] /= STRIDE
        u, v, _ = np.linalg.inv(whole) @ [x, y, 1]
        arriving = weight[b, part] * masks[b, part, ::STRIDE, ::STRIDE]
        gradient[b, :, y, x] += slow_read(arriving, u, v, interpolation)
    return gradient


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("kind", REGIONS)
def test_the_released_gradient_is_a_warp_by_the_inverse_map(kind, interpolation):
    affine, masks = regions(kind)
    features, plain = maps().requires_grad_(), maps().requires_grad_()
    got = part_maps(features, affine, masks, STRIDE, interpolation, "released")
    true = part_maps(plain, affine, masks, STRIDE, interpolation)
    assert torch.equal(got, true), "the map itself is the same"
    weight = torch.randn(got.shape, generator=torch.Generator().manual_seed(9), dtype=got.dtype)
    (got * weight).sum().backward()
    (true * weight).sum().backward()
    torch.testing.assert_close(features.grad, slow_released_gradient(weight, affine, masks, interpolation))
    assert not torch.allclose(features.grad, plain.grad, atol=0.1)


@pytest.mark.parametrize("name", AGGREGATIONS)
def test_aggregations_have_the_released_gradient(name):
    """Through what the aggregation does with the regions' maps, which autograd knows."""
    torch.manual_seed(0)
    aggregate = AGGREGATIONS[name](3, 10, "nearest", "released").double()
    affine, masks = regions()
    features, parts = maps().requires_grad_(), slow_parts(maps(), affine, masks, "nearest").requires_grad_()
    weight = torch.randn(maps().shape, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    (aggregate(features, affine, masks, STRIDE) * weight).sum().backward()
    if name == "maximum":
        combined = parts.amax(1).clamp_min(0)
    elif name == "average":
        combined = parts.sum(1) / masks[:, :, ::STRIDE, ::STRIDE].sum(1, keepdim=True).clamp_min(1)
    else:
        combined = (torch.softmax(aggregate.weights(parts.flatten(1, 2)), 1)[:, :, None] * parts).sum(1)
    (combined * weight).sum().backward()
    torch.testing.assert_close(features.grad, slow_released_gradient(parts.grad, affine, masks, "nearest"))


def test_without_a_map_no_gradient_comes_back():
    nowhere = torch.tensor(NOWHERE).double().expand(2, 10, 2, 3)
    features = maps().requires_grad_()
    part_maps(
        features, nowhere, torch.ones(2, 10, *SIZE, dtype=torch.bool), STRIDE, gradient="released"
    ).sum().backward()
    assert not features.grad.any()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [(("cubic",), "nearest or bilinear, got 'cubic'"), (("nearest", "true"), "adjoint or released, got 'true'")],
)
def test_other_warps_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        part_maps(maps(), *regions(), STRIDE, *wrong)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("name", AGGREGATIONS)
def test_gradients_numerically(name, interpolation):
    torch.manual_seed(0)
    aggregate = AGGREGATIONS[name](2, 10, interpolation).double()
    affine, masks = regions()
    run = lambda features: aggregate(features, affine, masks, STRIDE)  # noqa: E731
    assert torch.autograd.gradcheck(run, maps(1, 2).requires_grad_(), eps=1e-7, atol=1e-5)


@pytest.mark.parametrize("kind", REGIONS)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_maximum(kind, interpolation):
    affine, masks = regions(kind)
    got = AGGREGATIONS["maximum"](3, REGIONS[kind], interpolation)(maps(), affine, masks, STRIDE)
    expected = slow_parts(maps(), affine, masks, interpolation).amax(1).clamp_min(0)
    # The fast version of the nearest one calculates in single precision: one pixel may fall to its neighbour.
    assert (got - expected).abs().gt(1e-9).double().mean() < 0.02


def test_average_is_over_the_regions_that_cover_a_pixel():
    affine, masks = regions()
    got = AGGREGATIONS["average"](3, 10, "nearest")(maps(), affine, masks, STRIDE)
    parts = slow_parts(maps(), affine, masks, "nearest")
    for b, y, x in np.ndindex(2, 8, 4):
        covering = [part for part in range(10) if masks[b, part, y * STRIDE, x * STRIDE]]
        torch.testing.assert_close(got[b, :, y, x], parts[b, covering, :, y, x].mean(0))
    assert masks.sum(1).max() > 1, "regions overlap somewhere"


def test_linear_is_eq_16():
    torch.manual_seed(0)
    linear = AGGREGATIONS["linear"](3, 10, "nearest").double()
    affine, masks = regions()
    got = linear(maps(), affine, masks, STRIDE)
    parts = slow_parts(maps(), affine, masks, "nearest")
    kernel, bias = linear.weights.weight[:, :, 0, 0], linear.weights.bias
    assert kernel.shape == (10, 30)
    for b, y, x in np.ndindex(2, 8, 4):
        scores = torch.stack([kernel[h] @ parts[b, :, :, y, x].flatten() + bias[h] for h in range(10)]).exp()
        omega = scores / scores.sum()
        torch.testing.assert_close(got[b, :, y, x], sum(omega[h] * parts[b, h, :, y, x] for h in range(10)))


@pytest.mark.parametrize("convention", ["released", "paper"])
@pytest.mark.parametrize("kind", REGIONS)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("name", ["maximum", "average"])
def test_moving_the_whole_pose_moves_the_map_by_as_much(name, interpolation, kind, convention):
    source = random_poses(1, 6, missing=0)
    target = Pose(source.joints + torch.tensor([8.0, -16.0]), source.visible)
    affine, masks = part_transforms(source, target, (128, 64), kind, convention=convention)
    features = torch.rand(1, 4, 32, 16, generator=torch.Generator().manual_seed(3), dtype=torch.float64) + 0.1
    moved = AGGREGATIONS[name](4, REGIONS[kind], interpolation)(features, affine, masks, 4)
    torch.testing.assert_close(moved[:, :, :28, 2:], features[:, :, 4:, :14], atol=1e-5, rtol=0)
    assert moved[:, :, 28:].abs().max() < 1e-5
    assert moved[:, :, :, :2].abs().max() < 1e-5
