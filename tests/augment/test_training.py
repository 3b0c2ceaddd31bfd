import pytest
import torch
from conftest import random_poses

from augment.discriminator import Discriminator
from augment.features import Pixels
from augment.generators import GENERATORS
from augment.people import People
from augment.training import train
from reid.checkpoints import Scratch

PEOPLE = People(
    torch.randint(0, 256, (6, 3, 128, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
    random_poses(6, 0),
)
PAIRS = torch.tensor([(a, b) for a in range(6) for b in range(6) if a != b])
OPTIONS = {"batch_size": 2, "average": 0.5, "log_every": 2, "checkpoint_every": 2, "sample_every": 4}


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
