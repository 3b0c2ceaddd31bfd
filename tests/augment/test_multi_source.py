"""Attention-based fusion of several sources, against slow versions of its equations."""

from dataclasses import replace

import pytest
import torch
from poses import random_poses
from torch.nn import functional as F

from augment.data.batch import Batch
from augment.data.people import People
from augment.methods.multi_source.attention import Repeated, moments, squares_upsampled, upsampled
from augment.methods.multi_source.generator import MultiSource
from augment.methods.multi_source.method import MultiSourceGAN
from augment.training import train
from reid.common.checkpoints import Scratch

SIZE = (128, 64)
VALID = torch.tensor([[True, True, True], [True, False, False]])
OPTIONS = [{}, {"fusion": "spatial"}, {"convention": "paper"}, {"convention": "paper", "fusion": "spatial"}]


def generator(**options):
    torch.manual_seed(0)
    return MultiSource(SIZE, width=0.0625, **options).eval()


def batch(seed=0):
    """Two samples; the second has one valid source, whose repetitions are not."""
    stream = torch.Generator().manual_seed(seed)
    poses = random_poses(6, seed)
    source = torch.rand(2, 3, 3, *SIZE, generator=stream) * 2 - 1
    pose = poses[torch.arange(6).view(2, 3)]
    target = torch.rand(2, 3, *SIZE, generator=stream) * 2 - 1
    return Batch(source, pose, random_poses(2, seed + 1), source_valid=VALID, target=target)


def slow_decoder(decoder, levels, text):
    """The image and the finest attention of one sample, from the levels of its M sources, by Eq. 1 to 5."""

    def attend(module, psi, xis, before):
        own = []
        for place, xi in enumerate(xis):
            parts = [psi, xi]
            if before is not None and not text:
                parts.append(F.interpolate(before[place][None], scale_factor=2, mode="bilinear")[0])
            seen = torch.cat(parts)
            weight, bias = module.spatial.weight[0, :, 0, 0], module.spatial.bias
            attention = torch.sigmoid(torch.einsum("c,chw->hw", weight, seen) + bias)[None]
            if module.channel is not None:
                pooled = seen
                if not text:
                    pooled = (seen - seen.mean()) / (seen.var(unbiased=False) + 1e-6).sqrt()
                    pooled = pooled * module.norm.gain + module.norm.bias
                first, _, second = module.channel
                hidden = (first.weight @ pooled.mean((1, 2)) + first.bias).clamp_min(0)
                channels = torch.sigmoid(second.weight @ hidden + second.bias)
                attention = attention * channels[:, None, None]
            own.append(attention.clamp(1e-7, 1 - 1e-7))
        return [one / sum(own) for one in own]

    x, before = sum(levels[-1]) / len(levels[-1]), None
    if not text:
        before = attend(decoder.coarsest, x, levels[-1], None)
        x = torch.cat([x, sum(a * xi for a, xi in zip(before, levels[-1], strict=True))])
    for up, module, xis in zip(decoder.ups, decoder.attentions, reversed(levels[:-1]), strict=True):
        psi = (x if text else x.clamp_min(0)).repeat_interleave(2, 1).repeat_interleave(2, 2)
        psi = up.norm(F.conv2d(psi[None], up.convolution.weight, up.convolution.bias, padding=1))[0]
        psi = psi.clamp_min(0) if text else psi
        before = attend(module, psi, xis, before)
        x = torch.cat([psi, sum(a * xi for a, xi in zip(before, xis, strict=True))])
    image = torch.tanh(F.conv2d(x.clamp_min(0)[None], decoder.last.weight, decoder.last.bias, padding=1))[0]
    return image, torch.stack([a.mean(0) for a in before])


@torch.no_grad()
@pytest.mark.parametrize("options", OPTIONS)
def test_decoder_by_the_equations(options):
    network, one = generator(**options), batch()
    levels = []
    network.decoder.register_forward_pre_hook(lambda _, inputs: levels.extend(inputs[0]))
    images, attention = network.drawn(one)
    single, whose = one.by_source()
    assert whose.tolist() == [0, 0, 0, 1]
    assert torch.equal(single.source[:, 0], one.source[VALID])
    for sample in range(2):
        own = [list(level[whose == sample]) for level in levels]
        image, finest = slow_decoder(network.decoder, own, "convention" in options)
        torch.testing.assert_close(images[sample], image, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(attention[whose == sample], finest, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("shape", [(2, 3, 4, 2), (1, 2, 5, 7), (3, 1, 1, 2)])
def test_squares_of_what_is_upsampled(shape):
    values = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(squares_upsampled(values), upsampled(values).square().sum((1, 2, 3)))


def test_squares_are_exact_under_autocast():
    values = torch.rand(2, 8, 16, 8, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        found = squares_upsampled(values)
    torch.testing.assert_close(found, upsampled(values).square().sum((1, 2, 3)), rtol=1e-5, atol=0)


def test_moments_and_their_gradients():
    values = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    expected = values.mean((2, 3)), values.square().sum((1, 2, 3))
    for found, wanted in zip(moments(values), expected, strict=True):
        torch.testing.assert_close(found, wanted)
    weights = torch.randn(2, 3), torch.randn(2)
    (wanted,) = torch.autograd.grad(expected, values, weights)
    (found,) = torch.autograd.grad(moments(values), values, weights)
    torch.testing.assert_close(found, wanted)


@torch.no_grad()
def test_levels_are_those_of_both_streams():
    """The pose stream compares both poses; the four finest levels of the source stream are warped, if any."""
    one = batch()
    network, plain = generator(), generator(deformed=False)
    for key, value in plain.state_dict().items():
        value.copy_(network.state_dict()[key])
    levels = {True: [], False: []}
    network.decoder.register_forward_pre_hook(lambda _, inputs: levels[True].extend(inputs[0]))
    plain.decoder.register_forward_pre_hook(lambda _, inputs: levels[False].extend(inputs[0]))
    network(one), plain(one)
    half = [level.shape[1] // 2 for level in levels[True]]
    same = [
        (torch.equal(a[:, :n], b[:, :n]), torch.equal(a[:, n:], b[:, n:]))
        for a, b, n in zip(levels[True], levels[False], half, strict=True)
    ]
    assert same == [(False, True)] * 4 + [(True, True)] * 2
    assert network.pose_encoder.first.in_channels == 36


@torch.no_grad()
@pytest.mark.parametrize("options", OPTIONS)
def test_of_one_source_the_attention_is_one(options):
    network, one = generator(**options), batch()
    _, attention = network.drawn(one)
    assert (attention[3] == 1).all()
    torch.testing.assert_close(attention[:3].sum(0), torch.ones(SIZE))


@torch.no_grad()
@pytest.mark.parametrize("options", [*OPTIONS, {"fusion": "average"}])
def test_the_order_of_the_sources_does_not_matter(options):
    network, one = generator(**options), batch()
    order = torch.tensor([2, 0, 1])
    moved = replace(
        one, source=one.source[:, order], source_pose=one.source_pose[:, order], source_valid=one.source_valid[:, order]
    )
    images, attention = network.drawn(one)
    images_moved, attention_moved = network.drawn(moved)
    torch.testing.assert_close(images_moved, images, atol=1e-5, rtol=1e-4)
    if attention is not None:
        torch.testing.assert_close(attention_moved[:3], attention[:3][order], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("options", [*OPTIONS, {"fusion": "average"}])
def test_a_source_that_is_not_valid_gets_no_gradient(options):
    network, one = generator(**options), batch()
    one.source.requires_grad_()
    network(one).square().sum().backward()
    gradient = one.source.grad.abs().amax((2, 3, 4))
    assert (gradient[VALID] > 0).all()
    assert (gradient[~VALID] == 0).all()


@torch.no_grad()
def test_sources_are_averaged_in_avg():
    network, one = generator(fusion="average"), batch()
    levels = []
    network.decoder.register_forward_pre_hook(lambda _, inputs: levels.extend(inputs[0]))
    network(one)
    single = Batch(one.source[0, :, None], one.source_pose[0, :, None], one.target_pose[[0, 0, 0]])
    alone = []
    network.decoder.register_forward_pre_hook(lambda _, inputs: alone.extend(inputs[0]))
    levels = list(levels)
    network(single)
    for together, apart in zip(levels[:6], alone, strict=True):
        torch.testing.assert_close(together[0], apart.mean(0), atol=1e-5, rtol=1e-4)
    assert [len(generator(fusion="average", deformed=warped).deform) for warped in (True, False)] == [4, 0]


@torch.no_grad()
def test_above_128_pixels_the_finest_attention_is_a_convolution_of_that_before():
    torch.manual_seed(0)
    network = MultiSource((256, 256), width=0.0625).eval()
    assert [type(module) is Repeated for module in network.decoder.attentions] == [False] * 5 + [True]
    before = []
    network.decoder.attentions[-1].register_forward_hook(lambda _, inputs, output: before.extend([*inputs, output]))
    source = torch.rand(1, 2, 3, 256, 256) * 2 - 1
    poses = random_poses(3, 0)
    image, attention = network.drawn(Batch(source, poses[torch.tensor([[0, 1]])], poses[2:]))
    assert image.shape == (1, 3, 256, 256)
    _, _, coarse, _, output = before
    module = network.decoder.attentions[-1].convolution
    larger = F.interpolate(coarse, (256, 256), mode="bilinear")
    expected = torch.sigmoid(F.conv2d(larger, module.weight, module.bias, padding=1))
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(attention, (expected / expected.sum(0))[:, 0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("options", [*OPTIONS, {"fusion": "average"}])
def test_every_parameter_learns(options):
    network = generator(**options).train()
    network(batch()).square().sum().backward()
    assert [name for name, value in network.named_parameters() if value.grad is None] == []


OF_METHOD = {"width": 0.0625, "features": "pixels", "iterations": 3, "batch_size": 2}


@pytest.mark.parametrize(("convention", "reduce"), [("released", "mean"), ("paper", "sum")])
def test_the_discriminator_judges_one_source_at_a_time(convention, reduce):
    """Released: the mean over a sample's sources; in the text (Eq. 7) their sum."""
    torch.manual_seed(0)
    method, one = MultiSourceGAN(SIZE, 3, convention=convention, **OF_METHOD), batch()
    judged = method._judged(one, one.target)
    losses = judged.mean(1)
    expected = 0.0
    for sample in range(2):
        own = []
        for which in range(3):
            if VALID[sample, which]:
                single = Batch(
                    one.source[sample : sample + 1, which : which + 1],
                    one.source_pose[sample : sample + 1, which : which + 1],
                    one.target_pose[sample : sample + 1],
                )
                own.append(method.discriminator(single, one.target[sample : sample + 1]).mean().item())
        expected += (sum(own) / len(own) if reduce == "mean" else sum(own)) / 2
    assert method._over_sources(losses, one).item() == pytest.approx(expected, rel=1e-5)


def test_phases_and_the_sources_in_each():
    method = MultiSourceGAN(SIZE, 3, tuning=4, **OF_METHOD)
    first, second = method.phases(torch.device("cpu"))
    assert [(phase.name, phase.iterations) for phase in (first, second)] == [("two sources", 3), ("3 sources", 4)]
    assert first.optimisers == second.optimisers, "their averages of gradients go on"
    assert (method.sources_in(first), method.sources_in(second)) == (2, 3)
    limited = batch().first_sources(2)
    assert torch.equal(limited.source, batch().source[:, :2])
    assert limited.valid().tolist() == [[True, True], [True, False]]
    for sources, name in ((1, "one source"), (2, "two sources")):
        method = MultiSourceGAN(SIZE, sources, tuning=4, **OF_METHOD)
        (only,) = method.phases(torch.device("cpu"))
        assert (only.name, only.iterations, method.sources_in(only)) == (name, 7, sources)


def test_a_random_number_of_sources_for_all_batches_of_an_iteration():
    method = MultiSourceGAN(SIZE, 3, tuned_with="random", **OF_METHOD)
    phase = method.phases(torch.device("cpu"))[1]
    seen = []
    method.generator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].source.shape[1]))
    torch.manual_seed(0)
    for iteration in range(6):
        method.step(phase, iteration, iter([batch(), batch(1), batch(2)]))
    assert all(seen[start] == seen[start + 1] for start in range(0, 12, 2))
    assert set(seen) == {1, 2, 3}


def test_attention_has_a_place_for_each_source():
    torch.manual_seed(0)
    method, one = MultiSourceGAN(SIZE, 3, **OF_METHOD), batch()
    method.generator.eval()
    attention = method.attention(one)
    assert attention.shape == (2, 3, *SIZE)
    assert (attention[1, 0] == 1).all()
    assert not attention[~VALID].any()
    torch.testing.assert_close(attention.sum(1), torch.ones(2, *SIZE))
    averaged = MultiSourceGAN(SIZE, 3, generator_options={"fusion": "average"}, **OF_METHOD)
    assert averaged.attention(one) is None


def test_it_trains_in_bfloat16(tmp_path):
    """Close to float32 for a few steps; attention itself is not reduced."""
    people = People(
        torch.randint(0, 256, (6, 3, *SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
        random_poses(6, 0),
        identities=torch.tensor([1, 1, 1, 2, 2, 2]),
    )
    pairs = torch.tensor([(a, b) for a in range(6) for b in range(6) if a != b and (a < 3) == (b < 3)])
    losses = {}
    for precision in ("float32", "bfloat16"):
        torch.manual_seed(0)
        method = MultiSourceGAN(SIZE, 3, tuning=2, **OF_METHOD | {"iterations": 2})
        log = train(method, people, pairs, Scratch(precision, {}, tmp_path), precision=precision)
        losses[precision] = [entry["generator"] for entry in log]
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.05)
    assert losses["bfloat16"] != losses["float32"]
