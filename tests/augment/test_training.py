"""The loop on the Deformable GANs, and what it averages."""

from copy import deepcopy

import pytest
import torch
from poses import random_poses
from toy_method import Toy

from augment.data.people import People
from augment.data.tuples import Tuples
from augment.losses import nearest_neighbour
from augment.methods import update
from augment.methods.pose_gan.method import PoseGAN
from augment.training import precision_of, train
from reid.common.checkpoints import Scratch
from reid.randomness.batches import draw

PEOPLE = People(
    torch.randint(0, 256, (6, 3, 128, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
    random_poses(6, 0),
    identities=torch.zeros(6, dtype=torch.int64),
)
PAIRS = torch.tensor([(a, b) for a in range(6) for b in range(6) if a != b])


def no_sheet(averaged, iteration, minutes):
    pass


def run(scratch, generator="deformable", average=0.5, on_samples=no_sheet, **options):
    torch.manual_seed(0)
    defaults = {"width": 0.03, "features": "pixels", "iterations": 6, "batch_size": 2}
    method = PoseGAN((128, 64), generator, **defaults | options)
    schedule = {"log_every": 2, "checkpoint_every": 3, "sample_every": 4}
    log = train(method, PEOPLE, PAIRS, scratch, average=average, on_samples=on_samples, **schedule)
    return method.generator.state_dict(), log


def test_what_is_logged_drawn_and_saved_when(tmp_path):
    sheets, saved = [], []

    class Watched(Scratch):
        def save(self, state):
            saved.append(state["iteration"])

    _, log = run(Watched("s", {}, tmp_path), iterations=7, on_samples=lambda averaged, i, minutes: sheets.append(i))
    assert [row["iteration"] for row in log] == [2, 4, 6, 7]
    assert [*log[0]] == ["phase", "iteration", "discriminator", "generator", "adversarial", "reconstruction"]
    assert sheets == [4, 7]
    assert saved == [3, 6, 7]


def test_the_minutes_of_all_parts_count(tmp_path, monkeypatch):
    """A clock on which an iteration takes a minute; the run is stopped after its second state, at iteration 6."""
    clock, minutes = {"now": 0.0}, []
    monkeypatch.setattr("augment.training.time.monotonic", lambda: clock["now"])

    def note(averaged, iteration, so_far):
        minutes.append((iteration, so_far))

    def stepping(iterations, stop):
        torch.manual_seed(0)
        options = {"width": 0.03, "features": "pixels", "iterations": iterations, "batch_size": 2}
        method = PoseGAN((128, 64), "unet", **options)
        step = method.step

        def slow(phase, iteration, batches):
            if iteration == stop:
                raise KeyboardInterrupt
            clock["now"] += 60
            return step(phase, iteration, batches)

        method.step = slow
        train(method, PEOPLE, PAIRS, Scratch("s", {}, tmp_path), checkpoint_every=3, sample_every=4, on_samples=note)

    with pytest.raises(KeyboardInterrupt):
        stepping(9, stop=7)
    clock["now"] += 6000
    stepping(9, stop=None)
    assert minutes == [(4, 4), (8, 8), (9, 9)]


def test_one_iteration_by_hand(tmp_path):
    """D on real and generated tuples, then G against the new D, with Adam's first step written out."""
    rate, weight = 0.01, 0.7
    torch.manual_seed(0)
    options = {"learning_rate": rate, "reconstruction_weight": weight, "neighbourhood": 3, "batch_size": 2}
    method = PoseGAN((128, 64), "unet", width=0.03, features="pixels", iterations=1, **options)
    generator, discriminator = method.generator, method.discriminator
    for up in generator.decoder.ups:
        up.dropout = 0.0  # so that nothing depends on the order of random numbers
    g, d = deepcopy(generator), deepcopy(discriminator)
    train(method, PEOPLE, PAIRS, Scratch("s", {}, tmp_path), seed=4)

    rows = PAIRS[draw(30, 0, 6, 4)]
    parts = (rows[:2], rows[2:4], rows[4:])
    real, for_d, for_g = (PEOPLE.batch(Tuples.of_pairs(part[:, 0], part[:, 1])) for part in parts)
    loss = -(d(real, real.target) + 1e-7).log().mean() - (1 - d(for_d, g(for_d).detach()) + 1e-7).log().mean()
    first_adam_step(d, loss, rate)
    fake = g(for_g)
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
    run(
        Scratch("s", {}, tmp_path),
        iterations=4,
        on_samples=lambda averaged, i, minutes: seen.extend(averaged.generator.parameters()),
    )
    assert seen
    assert all(p.is_leaf and not p.requires_grad for p in seen)


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("average", [0.15, 0.99])
def test_average_of_weights(tmp_path, average, started):
    """Of the weights after each iteration; from random ones, in iteration t at most (1 + t) / (10 + t) is kept."""
    torch.manual_seed(0)
    method = PoseGAN((128, 64), "unet", width=0.03, features="pixels", iterations=4, batch_size=2)
    last, weights, step = method.generator.decoder.last.weight, [], method.step
    expected = last.detach().clone()

    def watched(*arguments):
        losses = step(*arguments)
        weights.append(last.detach().clone())
        return losses

    method.step = watched
    train(method, PEOPLE, PAIRS, Scratch("s", {}, tmp_path), average=average, started=started)
    for iteration, value in enumerate(weights):
        kept = average if started else min(average, (1 + iteration) / (10 + iteration))
        expected = kept * expected + (1 - kept) * value
    assert not torch.equal(weights[0], weights[1])
    torch.testing.assert_close(last.detach(), expected, atol=1e-6, rtol=1e-5)


def test_an_average_of_zero_is_the_last_weights(tmp_path):
    plain, _ = run(Scratch("a", {}, tmp_path), iterations=3, average=0.0)
    averaged, _ = run(Scratch("b", {}, tmp_path), iterations=3, average=0.5)
    assert any(not torch.equal(plain[key], averaged[key]) for key in plain)


def test_bfloat16_moves_weights_as_float32_does(tmp_path):
    """In the first step of Adam each weight moves by the learning rate, up or down."""
    options = {
        "reconstruction_weight": 33.0,
        "neighbourhood": 3,
        "iterations": 1,
        "learning_rate": 0.01,
        "batch_size": 4,
    }
    moved = {}
    for precision in ("float32", "bfloat16"):
        torch.manual_seed(0)
        method = PoseGAN((128, 64), "deformable", width=0.03, features="pixels", **options)
        before = {name: deepcopy(network.state_dict()) for name, network in method.networks.items()}
        train(method, PEOPLE, PAIRS, Scratch(precision, {}, tmp_path), precision=precision)
        for name, network in method.networks.items():
            after = network.state_dict()
            assert all(value.dtype == torch.float32 for value in after.values())
            moved[name, precision] = torch.cat([(after[key] - before[name][key]).flatten() for key in after]).sign()
    for name in method.networks:
        exact, rounded = moved[name, "float32"], moved[name, "bfloat16"]
        assert (exact != 0).float().mean() > 0.9
        assert (exact == rounded).float().mean() > 0.9
        assert not torch.equal(exact, rounded)


def test_in_bfloat16_an_update_counts_at_once(tmp_path):
    """A weight that is used, updated and used again in one step is the updated one."""
    method = Toy((128, 64), iterations=1, sources=1)
    layer = torch.nn.Linear(4, 4)
    outputs, step = [], method.step

    def twice(phase, iteration, batches):
        optimiser = torch.optim.SGD(layer.parameters(), 10.0)
        for _ in range(2):
            output = layer(torch.ones(1, 4))
            update(optimiser, output.sum())
            outputs.append(output.detach().float())
        return step(phase, iteration, batches)

    method.step = twice
    train(method, PEOPLE, PAIRS, Scratch("s", {}, tmp_path), precision="bfloat16")
    assert (outputs[0] - outputs[1]).abs().min() > 1


def test_auto_is_what_the_processor_has(monkeypatch):
    cpu = torch.device("cpu")
    for present, precision in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda present=present: present)
        assert precision_of("auto", cpu) == precision
        assert precision_of("bfloat16", cpu) == "bfloat16"
        assert precision_of("float32", cpu) == "float32"


def test_buffers_are_averaged_too(tmp_path):
    """Batch normalisation's statistics, which are no parameters: the mean of those after each iteration."""

    def statistics(average):
        torch.manual_seed(0)
        method = Toy((128, 64), iterations=2, sources=1)
        first = method.networks["encoder"][1].running_mean.clone()
        stepped, step = [], method.step

        def watched(phase, iteration, batches):
            losses = step(phase, iteration, batches)
            if "encoder" in phase.trains:
                stepped.append(method.networks["encoder"][1].running_mean.clone())
            return losses

        method.step = watched
        train(method, PEOPLE, PAIRS, Scratch(f"toy-{average}", {}, tmp_path), average=average)
        return first, stepped, method.networks["encoder"][1]

    _, stepped, final = statistics(0.0)
    assert torch.equal(final.running_mean, stepped[-1])
    assert final.num_batches_tracked > 0
    expected, stepped, final = statistics(0.75)
    for kept, value in zip((1 / 10, 2 / 11), stepped, strict=True):
        expected = kept * expected + (1 - kept) * value
    torch.testing.assert_close(final.running_mean, expected)


def test_it_learns(tmp_path):
    options = {"reconstruction_weight": 33.0, "neighbourhood": 1, "learning_rate": 0.002, "batch_size": 4}
    _, log = run(Scratch("s", {}, tmp_path), "unet", iterations=30, **options)
    assert log[-1]["reconstruction"] < 0.97 * log[0]["reconstruction"]


def test_bad_runs_stop(tmp_path):
    with pytest.raises(ValueError, match="needs 3 x 16 pairs, got 30"):
        run(Scratch("a", {}, tmp_path), batch_size=16)
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        run(Scratch("b", {}, tmp_path), learning_rate=1e30)


def test_a_method_that_takes_more_batches_than_it_says_is_told_so(tmp_path):
    method = Toy((128, 64))
    method.step = lambda phase, iteration, batches: [next(batches) for _ in range(2)]
    with pytest.raises(RuntimeError, match="phase copy took more batches than the 1 that it says"):
        train(method, PEOPLE, PAIRS, Scratch("s", {}, tmp_path))


def watched_toy(tmp_path, **options):
    """The toy, trained, and what each of its steps saw: phase, networks in training mode, averages so far, sources."""
    torch.manual_seed(0)
    method, seen, averages = Toy((128, 64), iterations=3), [], []
    step = method.step

    def watched(phase, iteration, batches):
        drawn = list(batches_of(batches, phase.batches))
        training = {name for name, network in method.networks.items() if network.training}
        seen.append((phase.name, training, drawn[0].source.clone()))
        return step(phase, iteration, iter(drawn))

    def batches_of(batches, count):
        return [next(batches) for _ in range(count)]

    method.step = watched
    encoder = [parameter for parameter in method.networks["encoder"].parameters()]

    def on_samples(averaged, iteration, minutes):
        averages.append([parameter.clone() for parameter in averaged.networks["encoder"].parameters()])

    train(method, PEOPLE, PAIRS, Scratch("toy", {}, tmp_path), on_samples=on_samples, sample_every=1, **options)
    return seen, averages, encoder


def test_networks_that_a_phase_does_not_train_stay_as_they_are(tmp_path):
    seen, averages, encoder = watched_toy(tmp_path, average=0.9)
    assert [phase for phase, *_ in seen] == ["copy"] * 3 + ["refine"] * 3
    assert [training for _, training, _ in seen] == [{"encoder", "decoder"}] * 3 + [{"decoder", "critic"}] * 3
    for later in averages[3:]:
        assert all(torch.equal(*pair) for pair in zip(later, averages[2], strict=True)), "the average is kept"
    assert all(torch.equal(*pair) for pair in zip(encoder, averages[2], strict=True))


def test_each_phase_draws_in_an_order_of_its_own(tmp_path):
    seen, _, _ = watched_toy(tmp_path)
    first, second = seen[0][2], seen[3][2]
    assert not torch.equal(first[:2, 0], second[:2, 0])


def test_further_sources_are_images_that_the_method_can_use(tmp_path):
    poses = random_poses(6, 0)
    poses.visible[3, 0] = False  # whose nose is not seen: no source for the toy
    people = People(PEOPLE.images, poses, identities=PEOPLE.identities)
    shown, step = [], Toy.step

    class Watched(Toy):
        def step(self, phase, iteration, batches):
            drawn = [next(batches) for _ in range(phase.batches)]
            shown.extend(source for batch in drawn for source in batch.source[:, 1:][batch.valid()[:, 1:]])
            return step(self, phase, iteration, iter(drawn))

    train(Watched((128, 64), iterations=5), people, PAIRS, Scratch("s", {}, tmp_path))
    unusable = PEOPLE.images[3] / 127.5 - 1
    assert len(shown) > 20
    assert not any(torch.allclose(source, unusable) for source in shown)
