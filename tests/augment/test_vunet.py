"""VUNet: its networks against counts and equations written anew, its losses and schedules, and what it learns."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import STREETS
from overfitting import learn
from poses import random_poses
from torch import nn
from torch.nn import functional as F

from augment.data.people import People
from augment.data.tuples import Tuples
from augment.geometry.part_crops import part_crops
from augment.geometry.stickman import stickman
from augment.methods.vunet.losses import divergence, perceptual, ramp
from augment.methods.vunet.method import VUNet
from augment.methods.vunet.network import Posterior, Prior, Residual
from augment.networks.features import VGG
from augment.networks.weight_norm import NormedConvolution
from augment.training import train
from reid.common.checkpoints import Scratch
from reid.common.errors import InputError

SIZE = (128, 64)
TINY = {"width": 1 / 16, "features": "pixels", "iterations": 3, "batch_size": 2}
PEOPLE = People(
    torch.randint(0, 256, (6, 3, 128, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
    random_poses(6, 0),
)
PAIRS = torch.tensor([(a, b) for a in range(6) for b in range(6) if a != b])


def tiny(**options):
    torch.manual_seed(0)
    return VUNet(SIZE, **{**TINY, **options})


def convolution(inputs, outputs, side=3):
    """A direction for each filter, a gain and a bias."""
    return inputs * outputs * side**2 + 2 * outputs


def residual(channels, skip=0):
    if not skip:
        return convolution(channels, channels)
    return convolution(skip, channels, 1) + convolution(2 * channels, channels)


def encoder(inputs, filters):
    count = convolution(inputs, filters[0], 1) + sum(2 * residual(own) for own in filters)
    return count + sum(convolution(own, more) for own, more in itertools.pairwise(filters))


def decoder(filters):
    upwards = filters[::-1]
    count = convolution(upwards[0], upwards[0], 1) + sum(2 * residual(own, own) for own in upwards)
    count += sum(convolution(own, 4 * less) for own, less in itertools.pairwise(upwards))
    for own in upwards[:2]:
        prior = residual(own) + 4 * convolution(4 * own, own) + 3 * residual(4 * own, own)
        count += convolution(2 * own, own, 1) + prior
    return count + convolution(filters[0], 3)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "convention", "inputs", "appearance"),
    [
        ((128, 64), "released", 24, [64, 128, 128, 128, 128, 128]),
        ((256, 256), "released", 24, [128] * 5),
        ((128, 64), "paper", 48, [64, 128, 128, 128, 128, 128]),
    ],
)
def test_parameters_of_the_papers_size(size, convention, inputs, appearance):
    network = VUNet(size, convention=convention, features="pixels").generator
    shape = [32, 64, 128, 128, 128, 128, 128]
    assert count(network.shape) == encoder(3, shape)
    assert count(network.appearance) == encoder(inputs, appearance)
    posterior = convolution(128, 128, 1) + 2 * residual(128, 128) + 2 * convolution(128, 128)
    posterior += residual(128, 256) + convolution(128, 4 * 128)
    assert count(network.posterior) == posterior
    assert count(network.decoder) == decoder(shape)
    if (size, convention) == (SIZE, "released"):
        assert count(network) == 46_188_422


def test_width_scales_all_filters():
    network = tiny(width=0.25).generator
    assert count(network.decoder) == decoder([8, 16, 32, 32, 32, 32, 32])


def test_codes_are_at_the_two_coarsest_resolutions():
    for size, coarsest in (
        ((128, 64), 2),
        ((64, 128), 2),
        ((256, 256), 4),
        ((64, 32), 2),
        ((96, 48), 6),
        ((48, 16), 6),
    ):
        method = VUNet(size, **TINY)
        poses = random_poses(2, 0)
        drawn = method.generator(method._parts(torch.zeros(2, 3, *size), poses), method._stickmen(poses), learning=True)
        for means in (drawn.posteriors, drawn.priors):
            assert [tuple(mean.shape) for mean in means] == [(2, 8, side, side) for side in (coarsest, 2 * coarsest)]
        assert drawn.images.shape == (2, 3, max(size), max(size))


def test_sizes_and_options_that_do_not_go_are_named():
    with pytest.raises(InputError, match=r"longer side that is a multiple of 16, got 72x48: set"):
        VUNet.check_size((72, 48))
    for size in ((256, 128), (96, 48), (64, 32), (16, 16)):
        VUNet.check_size(size)
    with pytest.raises(ValueError, match="divergence_start 7 is after divergence_end 5"):
        VUNet.check_options({"divergence_start": 7, "divergence_end": 5, "iterations": 9, "decay_start": 0})
    for late in ("divergence_end", "decay_start"):
        with pytest.raises(ValueError, match=f"{late} 10 is after the 9 iterations; set it to 9 at most"):
            VUNet.check_options(
                {"divergence_start": 7, "divergence_end": 8, "iterations": 9, "decay_start": 0, late: 10}
            )


def test_a_residual_block_by_hand():
    torch.manual_seed(0)
    block = Residual(4, 6).eval()
    x, skip = torch.randn(2, 4, 5, 5), torch.randn(2, 6, 5, 5)
    joined = torch.cat([x, block.skip(F.elu(skip))], 1)
    torch.testing.assert_close(block(x, skip), x + block.convolution(F.elu(joined)))
    block.train()
    inner = F.elu(joined)
    seen = []
    block.convolution.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    for _ in range(20):
        block(x, skip)
    dropped = torch.stack(seen)
    assert 0.08 < (dropped == 0).float().mean() < 0.12
    torch.testing.assert_close(dropped[dropped != 0], (inner / 0.9).expand_as(dropped)[dropped != 0])


def test_the_prior_knows_earlier_groups_alone():
    """Groups are the pixels of 2x2 cells: top left, top right, bottom left, bottom right."""
    torch.manual_seed(0)
    prior = Prior(4).eval()
    for layer in prior.modules():
        if isinstance(layer, NormedConvolution):
            nn.init.uniform_(layer.gain, 0.5, 1.5)
    x, code = torch.randn(1, 4, 4, 4), torch.randn(1, 4, 4, 4)
    places = [(0, 0), (0, 1), (1, 0), (1, 1)]
    before = prior(x, code)
    for group, (row, column) in enumerate(places):
        other = code.clone()
        other[:, :, row::2, column::2] += 1
        changed = (prior(x, other) - before).abs().amax((0, 1))
        for earlier, (own_row, own_column) in enumerate(places):
            assert (changed[own_row::2, own_column::2] > 0).all() == (earlier > group)
            assert (changed[own_row::2, own_column::2] > 0).any() == (earlier > group)
    assert (prior(x + torch.randn(1, 4, 4, 4), code) != before).all()


def test_codes_are_their_means_or_drawn_with_variance_one():
    torch.manual_seed(0)
    posterior = Posterior((4, 4)).eval()
    encoded = [
        torch.randn(300, 4, 4, 4),
        torch.randn(300, 4, 4, 4),
        torch.randn(300, 4, 2, 2),
        torch.randn(300, 4, 2, 2),
    ]
    means, codes = posterior(encoded, noise=False)
    assert all(torch.equal(mean, code) for mean, code in zip(means, codes, strict=True))
    other, drawn = posterior(encoded, noise=True)
    torch.testing.assert_close(other[0], means[0])
    assert not torch.allclose(other[1], means[1]), "the finer stage depends on what the coarser one was drawn as"
    for mean, code in zip(other, drawn, strict=True):
        noise = code - mean
        assert noise.mean().abs() < 0.05
        assert 0.93 < noise.var() < 1.07


def test_divergence_by_the_densities():
    """Of Gaussians of unit variance: the mean of the logarithms' difference over many draws, summed over dimensions."""
    random = torch.Generator().manual_seed(0)
    shapes = [(2, 1, 1, 2), (2, 2, 1, 1)]
    q, p = ([torch.randn(shape, generator=random) for shape in shapes] for _ in range(2))
    total = 0.0
    for own, other in zip(q, p, strict=True):
        draws = own.double() + torch.randn(100_000, *own.shape, generator=random, dtype=torch.float64)
        ratio = -0.5 * (draws - own) ** 2 + 0.5 * (draws - other) ** 2
        total += ratio.mean(0).sum().item()
    assert divergence(q, p).item() == pytest.approx(total / 2, rel=0.01)


def stand_in():
    """A VGG of four layers with a few filters."""
    random = torch.Generator().manual_seed(0)
    filters = {"conv1_1": (3, 4), "conv1_2": (4, 4), "conv2_1": (4, 5), "conv2_2": (5, 5)}
    convolutions = {
        name: (torch.randn(outputs, inputs, 3, 3, generator=random) / 9, torch.randn(outputs, generator=random))
        for name, (inputs, outputs) in filters.items()
    }
    return VGG(convolutions, mean=(104.007, 116.669, 122.679), bgr=True), convolutions


def test_the_perceptual_loss_layer_by_layer():
    network, convolutions = stand_in()
    one, two = torch.rand(2, 2, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1

    def layers(images):
        x = (images.flip(1) + 1) * 127.5 - torch.tensor([104.007, 116.669, 122.679]).view(3, 1, 1)
        found = [x.numpy()]
        for name, (weight, bias) in convolutions.items():
            if name == "conv2_1":
                x = x.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).amax((3, 5))
            x = F.conv2d(x, weight, bias, padding=1).clamp(min=0)
            if name.endswith("_2"):
                found.append(x.numpy())
        return found

    expected = sum(np.abs(a - b).mean() for a, b in zip(layers(one), layers(two), strict=True))
    assert perceptual(network, ["conv1_2", "conv2_2"], one, two).item() == pytest.approx(expected, rel=1e-4)
    pixels = VUNet(SIZE, **TINY).features
    assert perceptual(pixels, ["conv5_2"], one, two).item() == pytest.approx(
        np.abs(layers(one)[0] - layers(two)[0]).mean()
    )


def test_schedules_of_the_paper():
    """Rate: 1e-3 until 1,000, a line to 0 at 100,000. Divergence: 1e-6 until 50,000, a line to 1 at 75,000."""
    method = VUNet(SIZE, features="pixels", width=1 / 16)
    for iteration, rate, weight in (
        (0, 1e-3, 1e-6),
        (1_000, 1e-3, 1e-6),
        (50_000, 1e-3 * 50 / 99, 1e-6),
        (50_500, 1e-3 * 49.5 / 99, 1e-6 + (1 - 1e-6) * 0.02),
        (62_500, 1e-3 * 37.5 / 99, (1 + 1e-6) / 2),
        (75_000, 1e-3 * 25 / 99, 1.0),
        (99_999, 1e-3 / 99_000, 1.0),
    ):
        ours = ramp(iteration, method.decay_start, method.iterations, method.learning_rate, 0.0)
        assert ours == pytest.approx(rate, rel=1e-6)
        assert ramp(iteration, method.divergence_start, method.divergence_end, 1e-6, 1.0) == pytest.approx(weight)


@pytest.mark.slow
@pytest.mark.parametrize("iteration", [0, 6, 9])
def test_a_step_by_hand(iteration):
    """The loss of an iteration, and Adam's first step with its rate."""
    method = tiny(iterations=10, decay_start=2, divergence_start=4, divergence_end=8, reconstruction_weight=3.0)
    (phase,) = method.phases(torch.device("cpu"))
    method.generator.train()
    method.begin(phase, PEOPLE)
    batch = PEOPLE.batch(Tuples.of_pairs(torch.tensor([0, 1]), torch.tensor([2, 3])))
    before = {name: value.detach().clone() for name, value in method.generator.named_parameters()}
    torch.manual_seed(1)
    square = F.interpolate(batch.source[:, 0], (128, 128), mode="bilinear")
    pose = batch.source_pose[:, 0].scaled([SIZE], (128, 128))
    drawn = method.generator(part_crops(square, pose, 64), stickman(pose, (128, 128)), learning=True)
    reconstruction = (127.5 * (drawn.images - square)).abs().mean()
    pairs = zip(drawn.posteriors, drawn.priors, strict=True)
    divergent = sum(((q - p) ** 2).flatten(1).sum(1).mean() / 2 for q, p in pairs)
    weight = {0: 1e-6, 6: 1e-6 + 0.5 * (1 - 1e-6), 9: 1.0}[iteration]
    gradients = torch.autograd.grad(3 * reconstruction + weight * divergent, list(method.generator.parameters()))
    torch.manual_seed(1)
    losses = method.step(phase, iteration, iter([batch]))
    assert losses["reconstruction"].item() == pytest.approx(reconstruction.item(), rel=1e-5)
    assert losses["divergence"].item() == pytest.approx(divergent.item(), rel=1e-5)
    rate = {0: 1e-3, 6: 5e-4, 9: 1e-3 / 8}[iteration]
    wrong = total = 0
    for (name, value), gradient in zip(method.generator.named_parameters(), gradients, strict=True):
        moved = before[name] - value.detach()
        clear = gradient.abs() > 1e-4  # the sign of a smaller one may be rounding
        wrong += ((moved - rate * gradient.sign()).abs() > 0.01 * rate)[clear].sum()
        total += clear.sum()
    assert total > 1000
    assert wrong <= total / 1000


@pytest.mark.slow
def test_begin_initialises_every_layer_once():
    method = tiny(batch_size=6)
    (phase,) = method.phases(torch.device("cpu"))
    method.generator.train()
    outputs = []
    for layer in method.generator.modules():
        if isinstance(layer, NormedConvolution):
            layer.register_forward_hook(lambda layer, _, output: outputs.append((layer, output)))
    method.begin(phase, PEOPLE)
    layers = [layer for layer in method.generator.modules() if isinstance(layer, NormedConvolution)]
    assert {id(layer) for layer, _ in outputs} == {id(layer) for layer in layers}
    for _, output in outputs:
        assert len(output) == 4 * 6
        assert output.mean((0, 2, 3)).abs().max() < 1e-3
        constant = output.var((0, 2, 3)) < 1e-6  # a filter whose input does not vary
        torch.testing.assert_close(
            output.var((0, 2, 3), correction=0)[~constant], torch.ones((~constant).sum()), **CLOSE
        )
    state = {name: value.clone() for name, value in method.generator.state_dict().items()}
    method.begin(phase, replace(PEOPLE, images=255 - PEOPLE.images))
    assert all(torch.equal(state[name], value) for name, value in method.generator.state_dict().items())


CLOSE = {"atol": 1e-3, "rtol": 0}


@pytest.mark.slow
def test_averages_begin_with_the_initialised_network(tmp_path):
    """After one iteration it lies between the network after `begin` and the network after the step."""
    method = tiny(iterations=1)
    begun, stepped = {}, {}
    begin, step = method.begin, method.step

    def beginning(*given):
        begin(*given)
        begun.update({name: value.clone() for name, value in method.generator.state_dict().items()})

    def stepping(*given):
        losses = step(*given)
        stepped.update({name: value.clone() for name, value in method.generator.state_dict().items()})
        return losses

    method.begin, method.step = beginning, stepping
    train(method, PEOPLE, PAIRS, Scratch("s", {}, tmp_path), average=0.9)
    assert method.generator.initialised
    for name, value in method.generator.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value, 0.1 * begun[name] + 0.9 * stepped[name], atol=1e-6, rtol=1e-4)


@pytest.mark.slow
def test_weights_to_start_from_are_not_initialised_again(tmp_path):
    first = tiny()
    train(first, PEOPLE, PAIRS, Scratch("first", {}, tmp_path))
    second = tiny(learning_rate=1e-12)
    second.generator.load_state_dict(first.generator.state_dict())
    train(second, PEOPLE, PAIRS, Scratch("second", {}, tmp_path))
    for name, value in second.generator.state_dict().items():
        torch.testing.assert_close(value.float(), first.generator.state_dict()[name].float(), atol=1e-6, rtol=1e-5)


def test_people_are_drawn_by_the_means_of_their_codes():
    method = tiny()
    method.generator.eval()
    batch = PEOPLE.batch(Tuples.of_pairs(torch.tensor([0, 1]), torch.tensor([2, 3])), with_target=False)
    image, pose = batch.single_source()
    square = F.interpolate(image, (128, 128), mode="bilinear")
    parts = part_crops(square, pose.scaled([SIZE], (128, 128)), 64)
    means, _ = method.generator.posterior(method.generator.appearance(parts), noise=False)
    target = stickman(batch.target_pose.scaled([SIZE], (128, 128)), (128, 128))
    drawn, _ = method.generator.decoder(method.generator.shape(target), means, prior=False)
    # Halved by a triangle that reaches two pixels from the middle of two.
    kernel = torch.tensor([0.25, 0.75, 0.75, 0.25]).view(1, 1, 1, 4)
    narrow, whole = (F.conv2d(x.flatten(0, 1)[:, None], kernel, None, (1, 2), (0, 1)) for x in (drawn, drawn * 0 + 1))
    found = method.generate(batch)
    assert found.shape == (2, 3, 128, 64)
    expected = (narrow / whole).view(2, 3, 128, 64).clamp(-1, 1)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_the_text_encodes_parts_of_the_stickman_too():
    method = tiny(convention="paper")
    images, poses = PEOPLE.images[:2] / 127.5 - 1, PEOPLE.poses[:2]
    parts = method._parts(images, poses).unflatten(1, (8, 6))
    in_square = poses.scaled([SIZE], (128, 128))
    torch.testing.assert_close(parts[:, :, :3].flatten(1, 2), tiny()._parts(images, poses))
    drawn = stickman(in_square, (128, 128))
    torch.testing.assert_close(parts[:, :, 3:].flatten(1, 2), part_crops(drawn, in_square, 64))


@pytest.mark.slow
def test_it_learns_twelve_images_by_heart(tmp_path):
    """It learns from single images, so that what it draws is compared with the sources."""
    torch.manual_seed(0)
    method = VUNet(
        (64, 32),
        width=1 / 8,
        features="pixels",
        iterations=200,
        batch_size=2,
        learning_rate=2e-3,
        decay_start=130,
        divergence_start=200,
        divergence_end=200,
    )
    learnt = learn(method, STREETS, tmp_path, onto_target=False)
    assert learnt.found == 12
    assert learnt.distance < 0.7 * learnt.of_mean
