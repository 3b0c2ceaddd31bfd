import math

import numpy as np
import pytest
import torch

from augment.losses import discriminator_adversarial, generator_adversarial, nearest_neighbour


def features(seed, dtype=torch.float64, shape=(2, 5, 6, 4)):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def slow_nearest_neighbour(generated, target, size):
    """Eq. 8, position by position; mean over positions."""
    batch, _, height, width = generated.shape
    losses = []
    for b in range(batch):
        total = torch.zeros((), dtype=generated.dtype)
        for y, x in np.ndindex(height, width):
            distances = [
                (generated[b, :, y, x] - target[b, :, v, u]).abs().sum()
                for v in range(max(0, y - size // 2), min(height, y + size // 2 + 1))
                for u in range(max(0, x - size // 2), min(width, x + size // 2 + 1))
            ]
            total = total + torch.stack(distances).min()
        losses.append(total / (height * width))
    return torch.stack(losses)


@pytest.mark.parametrize("size", [1, 3, 5, 7, 19])
def test_nearest_neighbour_against_a_slow_version(size):
    fast, slow = features(0).requires_grad_(), features(0).requires_grad_()
    got, expected = nearest_neighbour(fast, features(1), size), slow_nearest_neighbour(slow, features(1), size)
    torch.testing.assert_close(got, expected)
    weights = torch.tensor([1.0, -2.0], dtype=torch.float64)
    (got * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(fast.grad, slow.grad)


def test_gradient_numerically():
    loss = lambda x: nearest_neighbour(x, features(1), 3)  # noqa: E731
    assert torch.autograd.gradcheck(loss, features(0).requires_grad_(), eps=1e-8, atol=1e-5)


def test_size_one_is_the_plain_distance():
    a, b = features(2), features(3)
    torch.testing.assert_close(nearest_neighbour(a, b, 1), (a - b).abs().sum(1).mean((1, 2)))


def test_the_text_sums_over_positions():
    one = nearest_neighbour(features(0), features(1), 3)
    torch.testing.assert_close(nearest_neighbour(features(0), features(1), 3, "paper"), one * 6 * 4)


def test_a_shift_within_reach_costs_nothing_inside():
    target = features(4, shape=(1, 5, 12, 10))
    shifted = target.roll((1, -1), (2, 3))
    inside = (slice(None), slice(None), slice(2, -2), slice(2, -2))
    generated = target.clone()
    generated[inside] = shifted[inside]
    assert nearest_neighbour(generated, target, 3).item() == 0
    assert nearest_neighbour(generated, target, 1).item() > 0


@pytest.mark.parametrize("size", [0, 2, -1])
def test_bad_sizes(size):
    with pytest.raises(ValueError, match="expected an odd and positive size .*, got"):
        nearest_neighbour(features(0), features(1), size)


def test_bad_shapes():
    with pytest.raises(ValueError, match=r"expected features of equal shape .*, got \(2, 5, 6, 4\) .* \(2, 4, 6, 4\)"):
        nearest_neighbour(features(0), features(1)[:, :4], 3)


def test_the_text_has_the_saturating_loss():
    fake = torch.tensor([[0.1], [0.0], [1.0]], requires_grad=True)
    got = generator_adversarial(fake, "paper")
    expected = [math.log(1 - p + 1e-7) for p in (0.1, 0.0, 1.0)]
    torch.testing.assert_close(got, torch.tensor(expected), rtol=1e-4, atol=1e-6)
    got[:2].sum().backward()
    torch.testing.assert_close(fake.grad[:2, 0], torch.tensor([-1 / 0.9, -1.0]))


def test_adversarial_losses():
    real, fake = torch.tensor([[0.9, 0.8], [0.5, 0.5]]), torch.tensor([[0.1, 0.3], [0.0, 1.0]])
    eps = 1e-7
    expected = [-(np.log(p + eps) + np.log(q + eps)) / 2 for p, q in fake.double().tolist()]
    torch.testing.assert_close(generator_adversarial(fake), torch.tensor(expected).float())
    expected = [
        -(np.log(p + eps) + np.log(q + eps)) / 2 - (np.log(1 - r + eps) + np.log(1 - s + eps)) / 2
        for (p, q), (r, s) in zip(real.double().tolist(), fake.double().tolist(), strict=True)
    ]
    got = discriminator_adversarial(real, True) + discriminator_adversarial(fake, False)
    torch.testing.assert_close(got, torch.tensor(expected).float(), rtol=1e-4, atol=1e-4)
