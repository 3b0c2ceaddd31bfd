from copy import deepcopy

import pytest
import torch
from conftest import random_poses

from augment.data.people import People
from augment.generators import GENERATORS
from augment.losses import nearest_neighbour
from augment.methods.pose_gan.discriminator import Discriminator
from augment.networks.features import Pixels
from augment.training import train
from reid.common.checkpoints import Scratch
from reid.randomness.batches import draw

PEOPLE = People(
    torch.randint(0, 256, (6, 3, 128, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
    random_poses(6, 0),
)
PAIRS = torch.tensor([(a, b) for a in range(6) for b in range(6) if a != b])
OPTIONS = {"batch_size": 2, "average": 0.5, "log_every": 2, "checkpoint_every": 3, "sample_every": 4}


def run(scratch, name="deformable", iterations=6, **options):
    torch.manual_seed(0)
    generator, discriminator = GENERATORS[name]((128, 64), 0.03), Discriminator((128, 64), 0.03)
    log = train(generator, discriminator, Pixels(), PEOPLE, PAIRS, scratch, iterations=iterations, **OPTIONS | options)
    return generator.state_dict(), log


def equal(a, b):
    return all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize("name", GENERATORS)
def test_a_resumed_run_ends_with_the_same_weights(name, tmp_path):
    sheets = []
    whole, log = run(Scratch("whole", {}, tmp_path), name, on_samples=lambda generator, i: sheets.append(i))
    assert [row["iteration"] for row in log] == [2, 4, 6]
    assert sheets == [4, 6]
    scratch = Scratch("broken", {}, tmp_path)

    def save_then_die(state):
        Scratch.save(scratch, state)
        raise KeyboardInterrupt

    scratch.save = save_then_die
    with pytest.raises(KeyboardInterrupt):
        run(scratch, name)
    resumed, resumed_log = run(Scratch("broken", {}, tmp_path), name)
    assert equal(whole, resumed)
    assert log == resumed_log


def test_one_iteration_by_hand(tmp_path):
    """D on real and generated tuples, then G against the new D, with Adam's first step written out."""
    rate, weight = 0.01, 0.7
    torch.manual_seed(0)
    generator, discriminator = GENERATORS["unet"]((128, 64), 0.03), Discriminator((128, 64), 0.03)
    for up in generator.decoder.ups:
        up.dropout = 0.0  # so that nothing depends on the order of random numbers
    g, d = deepcopy(generator), deepcopy(discriminator)
    options = {"learning_rate": rate, "reconstruction_weight": weight, "neighbourhood": 3, "seed": 4, "batch_size": 2}
    scratch = Scratch("s", {}, tmp_path)
    train(generator, discriminator, Pixels(), PEOPLE, PAIRS, scratch, iterations=1, **options)

    rows = PAIRS[draw(30, 0, 6, 4)]
    real, for_d, for_g = (PEOPLE.batch(part[:, 0], part[:, 1]) for part in (rows[:2], rows[2:4], rows[4:]))
    loss = -(d(real, real.target) + 1e-7).log().mean() - (1 - d(for_d, g.generate(for_d).detach()) + 1e-7).log().mean()
    first_adam_step(d, loss, rate)
    fake = g.generate(for_g)
    loss = -(d(for_g, fake) + 1e-7).log().mean() + weight * nearest_neighbour(fake, for_g.target, 3).mean()
    first_adam_step(g, loss, rate)
    for ours, expected in ((generator, g), (discriminator, d)):
        wrong = total = 0
        for key, value in expected.state_dict().items():
            # Where a gradient is nearly zero, its sign is rounding.
            wrong += int((ours.state_dict()[key] - value).abs().gt(1e-3).sum())
            total += value.numel()
        assert wrong < 0.01 * total


def first_adam_step(network, loss, rate):
    gradients = torch.autograd.grad(loss, list(network.parameters()))
    with torch.no_grad():
        for parameter, gradient in zip(network.parameters(), gradients, strict=True):
            parameter -= rate * gradient / (gradient.abs() + 1e-8)


def test_the_average_keeps_no_graph(tmp_path):
    seen = []
    run(Scratch("s", {}, tmp_path), iterations=4, on_samples=lambda averaged, i: seen.extend(averaged.parameters()))
    assert seen
    assert all(p.is_leaf and not p.requires_grad for p in seen)


def test_average_of_weights(tmp_path):
    start, _ = run(Scratch("a", {}, tmp_path), iterations=1, average=0.999999)
    plain, _ = run(Scratch("b", {}, tmp_path), iterations=1, average=0.0)
    half, _ = run(Scratch("c", {}, tmp_path), iterations=1, average=0.5)
    moved = [key for key in plain if not torch.allclose(plain[key], start[key], atol=1e-6)]
    assert moved
    for key in moved:
        torch.testing.assert_close(half[key], (start[key] + plain[key]) / 2, atol=2e-6, rtol=1e-4)


def test_it_learns(tmp_path):
    options = {"reconstruction_weight": 33.0, "neighbourhood": 1, "learning_rate": 0.002, "batch_size": 4}
    _, log = run(Scratch("s", {}, tmp_path), "unet", iterations=30, **options)
    assert log[-1]["reconstruction"] < 0.97 * log[0]["reconstruction"]


def test_bad_runs_stop(tmp_path):
    with pytest.raises(ValueError, match="needs 3 x 16 pairs, got 30"):
        run(Scratch("a", {}, tmp_path), batch_size=16)
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        run(Scratch("b", {}, tmp_path), learning_rate=1e30)
