from dataclasses import replace

import numpy as np
import pytest
import torch
from poses import random_poses
from torch.nn import functional as F

from augment import methods
from augment.data.batch import Batch
from augment.geometry import heatmaps
from augment.geometry.affine import NOWHERE
from augment.methods.pose_gan.method import GENERATORS, PoseGAN
from augment.networks.blocks import Encoder, SampleNorm, normalisation
from augment.networks.discriminator import Discriminator
from augment.poses import INDEX, Pose
from reid.common.errors import InputError


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def batch(count=3, seed=0):
    images = torch.rand(count, 1, 3, 128, 64, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    source = random_poses(count, seed)
    return Batch(images, Pose(source.joints[:, None], source.visible[:, None]), random_poses(count, seed + 1))


@pytest.mark.parametrize(
    ("name", "size", "count"),
    [
        ("deformable", (128, 64), 61_109_085),
        ("unet", (128, 64), 36_072_533),
        ("deformable", (256, 256), 82_080_611),
        ("unet", (256, 256), 48_655_449),
    ],
)
def test_as_many_parameters_as_released(name, size, count):
    with torch.device("meta"):
        assert parameters(GENERATORS[name](size)) == count


def test_discriminator_as_released():
    discriminator = Discriminator((128, 64))
    assert parameters(discriminator) == 2_803_782
    real = batch()
    probabilities = discriminator(real, real.source[:, 0])
    assert probabilities.shape == (3, 3), "three patches, one beside the other"
    assert ((probabilities > 0) & (probabilities < 1)).all()


@pytest.mark.parametrize("name", GENERATORS)
class TestBoth:
    """What the contract test of methods does not see."""

    def build(self, name):
        torch.manual_seed(0)
        return GENERATORS[name]((128, 64), width=0.0625)

    def test_everything_is_trained(self, name):
        network = self.build(name).train()
        network(batch()).square().mean().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())

    def test_noise_only_while_training(self, name):
        network, one = self.build(name), batch()
        assert not torch.equal(network.train()(one), network(one))
        assert torch.equal(network.eval()(one), network(one))

    def test_many_sources_are_refused(self, name):
        one = batch()
        two = Batch(one.source.repeat(1, 2, 1, 1, 1), one.source_pose, one.target_pose)
        with pytest.raises(ValueError, match="one source image, got M = 2"):
            self.build(name)(two)

    def test_sizes_that_do_not_halve_are_refused(self, name):
        with pytest.raises(ValueError, match="multiples of 32, .* halves them 5 times, got 100x64"):
            GENERATORS[name]((100, 64))


def test_poses_without_torso_are_not_usable():
    with torch.device("meta"):
        method = PoseGAN((128, 64), width=0.0625)
    poses = random_poses(3, 0)
    poses.visible[0, INDEX["left_hip"]] = False
    poses.visible[1, INDEX["right_shoulder"]] = False
    assert method.usable_source(poses).tolist() == method.usable_target(poses).tolist() == [False, False, True]


VARIANTS = [
    {"aggregation": "average"},
    {"aggregation": "linear"},
    {"regions": "unmasked"},
    {"regions": "whole"},
    {"interpolation": "bilinear"},
    {"interpolation": "bilinear", "gradient": "released"},
    {"convention": "gaussian"},
    {"convention": "paper"},
    {"background": True},
]


def on_a_street(seed=0):
    one = batch(seed=seed)
    random = torch.Generator().manual_seed(100 + seed)
    return replace(one, background=torch.rand(3, 3, 128, 64, generator=random) * 2 - 1)


def deformable(**options):
    torch.manual_seed(0)
    return GENERATORS["deformable"]((128, 64), width=0.0625, **options)


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_variants_draw_and_learn(options, tmp_path):
    network, one = deformable(**options), on_a_street()
    generated = network.eval()(one).detach()
    assert generated.shape == (3, 3, 128, 64)
    plain = deformable().eval()
    shared = {name: value for name, value in network.state_dict().items() if name in plain.state_dict()}
    if "background" in options:  # the one layer that has more inputs with it: pose and background
        shared["target_encoder.first.weight"] = shared["target_encoder.first.weight"][:, :18]
    if options.get("convention") != "paper":  # whose normalisation has other parameters
        plain.load_state_dict(shared)
    assert not torch.equal(generated, plain(one)), "the option makes a difference"
    network.train()(one).square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    shared_options = {key: value for key, value in options.items() if key in ("convention", "background")}
    own = {key: value for key, value in options.items() if key not in shared_options}
    made = {"width": 0.0625, "generator_options": own, **shared_options}
    method = PoseGAN((128, 64), **made)
    method.generator.load_state_dict(network.state_dict())
    methods.save(method, "pose_gan", made, tmp_path)
    assert torch.equal(methods.load(tmp_path).generate(one), generated)


def test_but_for_heat_maps_gaussian_is_as_released(monkeypatch):
    monkeypatch.setattr("augment.networks.blocks.heatmaps", lambda pose, size, **_: heatmaps(pose, size))
    one, outputs = batch(), []
    for convention in ("released", "gaussian"):
        torch.manual_seed(0)
        made = [PoseGAN((128, 64), name, width=0.0625, convention=convention) for name in GENERATORS]
        outputs.append([m.generator.eval()(one) for m in made] + [m.discriminator(one, one.source[:, 0]) for m in made])
    assert all(torch.equal(a, b) for a, b in zip(*outputs, strict=True))


@pytest.mark.parametrize("convention", ["released", "paper"])
def test_symmetry_matters_where_a_limb_is_missing_from_the_source_only(convention):
    with_twin, without = (deformable(symmetry=s, convention=convention).eval() for s in (True, False))
    whole = Batch(batch().source, random_poses(3, 0, missing=0)[:, None], random_poses(3, 1, missing=0))
    assert torch.equal(with_twin(whole), without(whole))
    source = random_poses(3, 0, missing=0)
    source.visible[1, INDEX["left_wrist"]] = False
    one_arm = replace(whole, source_pose=source[:, None])
    same = (with_twin(one_arm) == without(one_arm)).flatten(1).all(1)
    assert same.tolist() == [True, False, True]


@pytest.mark.parametrize("name", GENERATORS)
def test_the_background_is_used_and_asked_for(name):
    torch.manual_seed(0)
    network = GENERATORS[name]((128, 64), width=0.0625, background=True).eval()
    one = on_a_street()
    other = replace(one, background=on_a_street(1).background)
    assert not torch.equal(network(one), network(other))
    with pytest.raises(ValueError, match="before a given background, and none is given"):
        network(batch())


def test_the_discriminator_sees_the_background_and_follows_the_convention():
    torch.manual_seed(0)
    discriminator, one = Discriminator((128, 64), 0.0625, background=True), on_a_street()
    other = replace(one, background=on_a_street(1).background)
    image = one.source[:, 0]
    assert not torch.equal(discriminator(one, image), discriminator(other, image))
    torch.manual_seed(0)
    paper = Discriminator((128, 64), 0.0625, convention="paper")
    torch.manual_seed(0)
    assert not torch.equal(paper(one, image), Discriminator((128, 64), 0.0625)(one, image))
    assert not any(isinstance(module, SampleNorm | torch.nn.InstanceNorm2d) for module in paper.modules())
    assert sum(isinstance(module, SampleNorm) for module in discriminator.modules()) == 3


def slow_conv_norm_relu(x, convolution, norm, stride):
    """CN of Sec. 4.3, channel by channel: convolution, instance normalisation, ReLU."""
    x = F.conv2d(x, convolution.weight, convolution.bias, stride, 1)
    out = torch.zeros_like(x)
    for b, c in np.ndindex(*x.shape[:2]):
        mean = x[b, c].mean()
        deviation = ((x[b, c] - mean).square().mean() + norm.eps).sqrt()
        out[b, c] = ((x[b, c] - mean) / deviation * norm.weight[c] + norm.bias[c]).clamp_min(0)
    return out


def test_the_texts_encoder():
    torch.manual_seed(0)
    encoder, x = Encoder(5, (4, 6, 8), "paper"), torch.randn(2, 5, 16, 8)
    with torch.no_grad():
        for p in encoder.parameters():
            p.add_(0.3 * torch.randn(p.shape))  # gains and biases that show
        got = encoder(x)
        expected = [slow_conv_norm_relu(x, encoder.first, encoder.first_norm, 1)]
        for down in encoder.downs:
            expected.append(slow_conv_norm_relu(expected[-1], down.convolution, down.norm, 2))
    assert [level.shape for level in got] == [(2, 4, 16, 8), (2, 6, 8, 4), (2, 8, 4, 2)]
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_the_text_normalises_no_single_pixel():
    with pytest.raises(InputError, match="expected more than 32x32 with convention: paper"):
        GENERATORS["unet"]((32, 32), width=0.0625, convention="paper")
    GENERATORS["unet"]((32, 32), width=0.0625)


@pytest.mark.parametrize(("convention", "deformed"), [("released", 4), ("paper", 6)])
def test_which_skip_connections_are_deformed(convention, deformed, monkeypatch):
    network, one = deformable(convention=convention).eval(), batch()
    affine = torch.tensor(NOWHERE).double().expand(3, 10, 2, 3)
    masks = torch.ones(3, 10, 128, 64, dtype=torch.bool)
    monkeypatch.setattr("augment.networks.source_stream.part_transforms", lambda *_: (affine, masks))
    levels = []
    network.decoder.register_forward_pre_hook(lambda _, inputs: levels.extend(inputs[0]))
    with torch.no_grad():
        network(one)
    from_source = [level[:, : level.shape[1] // 2].any().item() for level in levels]
    assert from_source == [False] * deformed + [True] * (6 - deformed), "where no region has a map, nothing is read"


def test_the_texts_discriminator_says_one_number():
    torch.manual_seed(0)
    discriminator, one = Discriminator((128, 64), 0.0625, convention="paper"), batch()
    got = discriminator(one, one.source[:, 0])
    maps = [heatmaps(pose, (128, 64), convention="paper") for pose in (one.source_pose[:, 0], one.target_pose)]
    x = torch.cat([one.source[:, 0], maps[0], one.source[:, 0], maps[1]], 1)
    x = F.conv2d(x, discriminator.first.weight, discriminator.first.bias, 2)
    for down in discriminator.downs:
        x = F.conv2d(x.clamp_min(0), down.convolution.weight, None, 2, 1)
    patches = 1 / (1 + torch.exp(-x))
    assert patches.shape == (3, 1, 3, 1)
    torch.testing.assert_close(got, patches.sum((1, 2, 3))[:, None] / 3)


@pytest.mark.parametrize(("convention", "sign"), [("released", 1), ("gaussian", 1), ("paper", -1)])
def test_the_generators_loss_in_training(convention, sign):
    torch.manual_seed(0)
    method = PoseGAN((128, 64), width=0.0625, convention=convention, features="pixels")
    one = replace(batch(), target=batch(seed=2).source[:, 0])
    losses = method.step(method.phases(torch.device("cpu"))[0], 0, iter([one] * 3))
    assert losses["adversarial"] * sign > 0, "-log D, or log(1 - D)"
    assert all(loss.isfinite() for loss in losses.values())


def test_the_text_normalises_each_channel():
    x = torch.randn(4, 3, 8, 6, generator=torch.Generator().manual_seed(0)) * 3 + 1
    mean, deviation = x.mean((2, 3), keepdim=True), x.std((2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(normalisation(3, "paper")(x), (x - mean) / deviation, rtol=1e-4, atol=1e-5)


def test_sample_norm_is_over_channels_and_positions():
    x = torch.randn(4, 3, 8, 6, generator=torch.Generator().manual_seed(0)) * 3 + 1
    norm = SampleNorm()
    with torch.no_grad():
        norm.gain.fill_(2.0)
        norm.bias.fill_(-0.5)
    mean, deviation = x.mean((1, 2, 3), keepdim=True), x.std((1, 2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(norm(x), 2 * (x - mean) / deviation - 0.5)
    # The released form divides by the deviation + 0.001.
    torch.testing.assert_close(norm(x), 2 * (x - mean) / (deviation + 1e-3) - 0.5, rtol=2e-3, atol=2e-3)
