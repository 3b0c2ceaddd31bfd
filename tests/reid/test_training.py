import pytest
import torch

from reid.common.checkpoints import Scratch
from reid.networks import IDE, Siamese, StrongBaseline
from reid.randomness.seeds import seed_for
from reid.training.erasing import erased
from reid.training.loop import collapsed, train
from reid.training.sampling import SAMPLINGS

IMAGES = torch.randint(0, 256, (20, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(20) % 4
PLAIN = (torch.zeros(20), torch.ones(20))  # no smoothing, all weights 1
OPTIONS = {"batch_size": 4, "learning_rate": 0.01, "decay_at": [6], "checkpoint_every": 3, "log_every": 2}


def run(scratch, iterations=8, **options):
    torch.manual_seed(0)
    network = IDE(4, "mobilenet-v2", (32, 32), dropout=0.5, pretrained=False)
    log = train(network, IMAGES, LABELS, *PLAIN, scratch, iterations=iterations, **OPTIONS | options)
    return network.state_dict(), log


def equal(a, b):
    return all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.slow
def test_a_resumed_run_ends_with_the_same_weights(tmp_path):
    whole, log = run(Scratch("whole", {}, tmp_path))
    assert [row["iteration"] for row in log] == [2, 4, 6, 8]
    assert [row["learning_rate"] for row in log] == pytest.approx([0.01, 0.01, 0.01, 0.001])
    scratch = Scratch("broken", {}, tmp_path)
    saved = []

    def save_then_die(state):
        Scratch.save(scratch, state)
        saved.append(state["iteration"])
        if len(saved) == 2:
            raise KeyboardInterrupt

    scratch.save = save_then_die
    with pytest.raises(KeyboardInterrupt):
        run(scratch)
    resumed, resumed_log = run(Scratch("broken", {}, tmp_path))
    assert saved == [3, 6]
    assert equal(whole, resumed)
    assert log == resumed_log


def test_seed_decides(tmp_path):
    first, _ = run(Scratch("a", {}, tmp_path), 2, seed=1)
    again, _ = run(Scratch("b", {}, tmp_path), 2, seed=1)
    other, _ = run(Scratch("c", {}, tmp_path), 2, seed=2)
    assert equal(first, again)
    assert not equal(first, other)


def small(part):
    torch.manual_seed(0)
    network = part(4, "mobilenet-v2", (32, 32), crop_size=None, freeze_batch_norm=True, pretrained=False)
    for layer, _ in network.heads():
        if layer.bias is not None and layer.bias.requires_grad:
            torch.nn.init.ones_(layer.bias)  # so that their decay shows
    return network


def plain_training(network, sampling, bias, decay):
    """Three steps of descent with momentum 0.9 and decay 0.3, parameter by parameter; `bias` is the rate of biases."""
    moving = {name: torch.zeros_like(value) for name, value in network.named_parameters()}
    heads = {"classifier": 5.0, "verifier": 5.0 * 3.0, "neck": 5.0}
    for iteration in range(3):
        rows = SAMPLINGS[sampling](LABELS, iteration, 8, 0)
        network.zero_grad()
        network.loss(IMAGES[rows] / 127.5 - 1, LABELS[rows]).mean().backward()
        for name, value in network.named_parameters():
            if value.grad is None:
                continue
            layer, _, kind = name.rpartition(".")
            rate = 0.001 * heads.get(layer, 1.0) * (bias if layer in heads and kind == "bias" else 1)
            shrink = 0.0 if layer in heads and kind == "bias" and not decay else 0.3
            moving[name] = 0.9 * moving[name] + value.grad + shrink * value.detach()
            value.data -= rate * moving[name]


@pytest.mark.parametrize(
    ("part", "sampling", "bias", "decay"),
    [
        (IDE, "single", 2.0, False),
        (Siamese, "drawn", 1.0, True),
        (Siamese, "counted", 20.0, True),
        (StrongBaseline, "balanced", 2.0, False),
    ],
)
def test_steps_are_those_of_the_recipe(part, sampling, bias, decay, tmp_path):
    """Of IDE by default, of the siamese network behind Table 4, of the original one, and of the strong baseline."""
    slow, fast = small(part).train(), small(part)
    if part is Siamese:
        slow.verifier_rate = fast.verifier_rate = 3.0
    options = {} if part is IDE else {"bias_rate": bias, "bias_decay": decay}
    options |= {"sampling": sampling, "classifier_rate": 5.0, "weight_decay": 0.3, "flip": 0.0, "learning_rate": 0.001}
    scratch = Scratch("steps", {}, tmp_path)
    train(fast, IMAGES, LABELS, *PLAIN, scratch, iterations=3, batch_size=8, **options)
    plain_training(slow, sampling, bias, decay)
    for (name, value), expected in zip(fast.named_parameters(), slow.parameters(), strict=True):
        torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.slow
def test_it_learns(tmp_path):
    images = torch.randint(0, 60, (20, 3, 64, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    for image, label in zip(images, LABELS, strict=True):
        image[:, 16 * label : 16 * label + 16] += 150
    torch.manual_seed(0)
    network = IDE(4, "mobilenet-v2", (64, 32))
    options = {"batch_size": 8, "learning_rate": 3e-4, "classifier_rate": 10.0, "log_every": 10}
    log = train(network, images, LABELS, *PLAIN, Scratch("s", {}, tmp_path), iterations=40, **options)
    assert log[-1]["loss"] < log[0]["loss"] / 4


def test_bad_runs_stop(tmp_path):
    with pytest.raises(ValueError, match="a batch holds 64 images, the training set only 20"):
        run(Scratch("a", {}, tmp_path), batch_size=64)
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        run(Scratch("b", {}, tmp_path), learning_rate=1e12)


def test_a_network_that_collapses_stops(tmp_path, monkeypatch):
    monkeypatch.setattr("reid.training.loop.collapsed", lambda network, images: True)
    with pytest.raises(FloatingPointError, match=r"at iteration \d+ the network gives all images the same features"):
        run(Scratch("collapsed", {}, tmp_path))


@pytest.mark.parametrize("batch", [2, 32, 64])
def test_dead_features_are_found_and_others_are_not(batch):
    torch.manual_seed(0)
    network = StrongBaseline(3, "mobilenet-v2", (64, 32), pretrained=False)
    network.neck.running_mean.uniform_()
    images = torch.rand(batch, 3, 64, 32)
    assert not collapsed(network.train(), images)
    assert network.training
    for constant in (torch.zeros(1280), torch.randn(1280)):
        network.backbone.forward = lambda images, constant=constant: constant.repeat(len(images), 1)
        assert collapsed(network, images)
    assert not collapsed(network, images[:1]), "one image has nothing to be compared with"


def test_the_learning_rate_rises_first(tmp_path):
    _, log = run(Scratch("warm", {}, tmp_path), warmup=4, log_every=1)
    assert [row["learning_rate"] for row in log] == pytest.approx(
        [0.0025, 0.005, 0.0075, 0.01, 0.01, 0.01, 0.001, 0.001]
    )


def test_erased_rectangles():
    """Half of the images have one of 2 to 40 % of them, in ImageNet's mean colour; where, is the random stream's."""
    images = torch.full((400, 3, 40, 20), -1.0)
    assert erased(images, 0) is images
    torch.manual_seed(0)
    some = erased(images, 0.5)
    torch.manual_seed(0)
    assert torch.equal(some, erased(images, 0.5))
    changed = some[:, 0] != -1
    assert changed.any((1, 2)).float().mean() == pytest.approx(0.5, abs=0.07)
    for image, mask in zip(some, changed, strict=True):
        if mask.any():
            rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
            height, width = int(rows.max() - rows.min() + 1), int(columns.max() - columns.min() + 1)
            assert int(mask.sum()) == height * width, "one rectangle"
            assert 0.01 < height * width / 800 < 0.42
            assert 0.2 < height / width < 4
            for colour, mean in zip(image[:, mask].T[0], (0.485, 0.456, 0.406), strict=True):
                assert float(colour) == pytest.approx(2 * mean - 1)


def test_erasing_is_part_of_training(tmp_path):
    """The first loss is that of images which are erased after the flips were drawn, from the iteration's stream."""
    network, twin = small(IDE).train(), small(IDE).train()
    options = {"iterations": 1, "batch_size": 4, "flip": 0.0, "log_every": 1}
    log = train(network, IMAGES, LABELS, *PLAIN, Scratch("torn", {}, tmp_path), erase=1.0, **options)
    rows = SAMPLINGS["single"](LABELS, 0, 4, 0)
    torch.manual_seed(seed_for(0, "iteration", 0))
    torch.rand(4)
    torn = erased(IMAGES[rows] / 127.5 - 1, 1.0)
    assert not torch.equal(torn, IMAGES[rows] / 127.5 - 1)
    assert log[0]["loss"] == pytest.approx(twin.loss(torn, LABELS[rows]).mean().item(), rel=1e-5)


@pytest.mark.parametrize(("part", "sampling"), [(IDE, "single"), (Siamese, "drawn")])
def test_losses_are_weighted(part, sampling, tmp_path):
    """The first loss is the mean of each image's, or pair's, times its weight, a pair's being the mean of two."""
    weights = torch.rand(20, generator=torch.Generator().manual_seed(1))
    network, twin = small(part).train(), small(part).train()
    options = {"sampling": sampling, "flip": 0.0, "iterations": 1, "batch_size": 4, "log_every": 1}
    log = train(network, IMAGES, LABELS, torch.zeros(20), weights, Scratch("weighted", {}, tmp_path), **options)
    rows = SAMPLINGS[sampling](LABELS, 0, 4, 0)
    losses = twin.loss(IMAGES[rows] / 127.5 - 1, LABELS[rows]).tolist()
    shares = weights[rows].tolist()
    if part is Siamese:
        shares = [(shares[pair] + shares[pair + 4]) / 2 for pair in range(4)]
    expected = sum(loss * share for loss, share in zip(losses, shares, strict=True)) / 4
    assert log[0]["loss"] == pytest.approx(expected, rel=1e-4)
