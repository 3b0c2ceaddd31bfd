"""DPIG: its networks against counts and formulas written anew, and what its phases learn from."""

import pytest
import torch
from poses import random_poses
from torch import nn
from torch.nn import functional as F

from augment.data.people import People
from augment.data.tuples import Tuples
from augment.geometry.discs import discs
from augment.methods.disentangled.appearance import Appearance, AppearanceEncoder, Composer
from augment.methods.disentangled.manipulation import Factors, between, composed, encoded, to_noise
from augment.methods.disentangled.method import CLIP, CODES, Disentangled
from augment.methods.disentangled.vectors import Critic, Mapping, PoseDecoder, pose_vectors, poses_of
from augment.networks.dcgan import DCGANDiscriminator
from augment.networks.residual_unet import ResidualUNet
from augment.poses import Pose
from augment.poses.pose import JOINTS
from augment.training import train
from reid.common.checkpoints import Scratch
from reid.common.errors import InputError

SIZE = (128, 64)
TINY = {
    "width": 1 / 32,
    "iterations": 2,
    "batch_size": 2,
    "pose_iterations": 2,
    "pose_batch_size": 3,
    "mapping_iterations": 2,
    "pose_mapping_iterations": 2,
    "mapping_batch_size": 2,
    "learning_rate": 1e-3,
    "flip": 0.0,
}
PEOPLE = People(
    torch.randint(0, 256, (6, 3, 128, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
    random_poses(6, 0),
)
PAIRS = torch.tensor([(a, b) for a in range(6) for b in range(6) if a != b])


def convolution(inputs, outputs, side):
    return inputs * outputs * side**2 + outputs


def levels(width):
    """Parameters of five residual blocks of width, 2 width, ... filters, and of the convolutions between them."""
    blocks = sum(2 * convolution(width * level, width * level, 3) for level in range(1, 6))
    return blocks + sum(convolution(width * level, width * (level + 1), 3) for level in range(1, 5))


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameters_of_the_convolutional_networks_are_the_released_ones():
    encoder = AppearanceEncoder(SIZE)
    stem = convolution(3, 128, 3) + 2 * convolution(128, 128, 3)
    regions, background = levels(128) + 3 * 3 * 640 * 32 + 32, levels(128) + 8 * 4 * 640 * 128 + 128
    assert count(encoder) == stem + regions + background
    assert [round(part / 1e6, 1) for part in (regions, background)] == [22.3, 24.7]
    unet = convolution(224 + 128 + 18, 128, 3) + levels(128)
    unet += 8 * 4 * 640 * 64 + 64 + 64 * 8 * 4 * 128 + 8 * 4 * 128
    unet += sum(2 * convolution(own, own, 3) for own in (768, 1024, 768, 512, 256))
    unet += sum(convolution(own, less, 1) for own, less in ((768, 512), (1024, 384), (768, 256), (512, 128)))
    unet += convolution(256, 3, 3)
    assert count(Composer(SIZE)) == unet
    assert round(unet / 1e6, 1) == 71.2
    discriminator = sum(convolution(own, more, 5) for own, more in ((3, 64), (64, 128), (128, 256), (256, 512)))
    discriminator += 2 * (128 + 256 + 512) + 512 * 8 * 4 + 1
    assert count(DCGANDiscriminator(SIZE)) == discriminator
    assert round(discriminator / 1e6, 1) == 4.3


def test_parameters_of_the_networks_of_vectors_are_the_released_ones():
    def linear(inputs, outputs):
        return (inputs + 1) * outputs

    for name, (inputs, hidden, millions) in {
        "foreground": (224, 512, 2.33),
        "background": (128, 256, 0.59),
        "pose": (32, 512, 2.13),
    }.items():
        expected = linear(inputs, hidden) + 8 * linear(hidden, hidden) + linear(hidden, inputs)
        assert CODES[name] == inputs
        assert count(Mapping(inputs, inputs, hidden)) == expected
        assert round(expected / 1e6, 2) == millions
    units = 8 * linear(512, 512)
    auto_encoder = (
        linear(54, 512) + units + linear(512, 32) + linear(32, 512) + units + linear(512, 36) + linear(512, 18)
    )
    assert count(Mapping(54, 32)) + count(PoseDecoder()) == auto_encoder
    assert round(auto_encoder / 1e6, 1) == 4.3
    assert count(Critic(224)) == linear(224, 512) + 3 * linear(512, 512) + linear(512, 1)
    assert count(Critic(224, convention="paper")) == linear(224, 512) + 2 * linear(512, 512) + linear(512, 1)


def test_the_unet_by_its_formula():
    """Level by level, with the upsampling before the 1x1 convolution, as it is written."""
    torch.manual_seed(0)
    network = ResidualUNet((32, 16), 5, width=2, code=3).double()
    x = torch.rand(2, 5, 32, 16).double()

    def residual(block, y):
        return y + F.relu(block.second(F.relu(block.first(y))))

    y, skips = F.relu(network.first(x)), []
    for level in range(5):
        y = residual(network.levels.blocks[level], y)
        skips.append(y)
        if level < 4:
            y = F.relu(network.levels.downs[level](y))
    assert [tuple(skip.shape[1:]) for skip in skips] == [(2, 32, 16), (4, 16, 8), (6, 8, 4), (8, 4, 2), (10, 2, 1)]
    y = network.from_code(network.to_code(y.flatten(1))).view(2, 2, 2, 1)
    for level in range(5):
        y = residual(network.blocks[level], torch.cat([y, skips[4 - level]], 1))
        if level < 4:
            y = y.repeat_interleave(2, 2).repeat_interleave(2, 3)
            y = F.relu(network.ups[level](y))
    torch.testing.assert_close(network(x), network.last(y))
    with pytest.raises(InputError, match="multiples of 16, .* halved 4 times, got 32x24"):
        ResidualUNet((32, 24), 5)


@pytest.mark.parametrize(("convention", "slope", "layers"), [("released", 0.2, 5), ("paper", 0.0, 4)])
def test_networks_of_vectors_by_their_formulas(convention, slope, layers):
    torch.manual_seed(0)
    mapping, critic, decoder = Mapping(6, 3, 8, convention), Critic(6, 8, convention), PoseDecoder(8, convention)

    def act(x):
        return torch.where(x > 0, x, slope * x)

    def linear(layer, x):
        return x @ layer.weight.T + layer.bias

    def units(which, x):
        for unit in which:
            x = x + act(linear(unit.second, act(linear(unit.first, x))))
        return x

    x = torch.randn(4, 6)
    first, *middle, last = mapping
    assert len(middle) == 4
    torch.testing.assert_close(mapping(x), linear(last, units(middle, linear(first, x))))
    judged = x
    for number, layer in enumerate(critic.layers, 1):
        judged = linear(layer, judged)
        judged = judged if number == layers else act(judged)
    assert len(critic.layers) == layers
    torch.testing.assert_close(critic(x), judged[:, 0])
    codes = torch.randn(4, 32)
    hidden = units(decoder.units, linear(decoder.first, codes))
    shares = 1 / (1 + (-linear(decoder.visibility, hidden)).exp())
    vectors = decoder(codes)
    torch.testing.assert_close(vectors[..., :2].flatten(1), linear(decoder.coordinates, hidden))
    torch.testing.assert_close(vectors[..., 2], (shares > 0.5).float())


def test_the_discriminator_by_its_formula():
    """Batch normalisation by the batch's own statistics, in training and evaluation alike."""
    torch.manual_seed(0)
    network = DCGANDiscriminator((32, 16), width=1 / 16)
    images = torch.rand(3, 3, 32, 16)
    x = images
    for level in range(4):
        x = F.conv2d(x, network.convolutions[level].weight, network.convolutions[level].bias, stride=2, padding=2)
        if level:
            mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), unbiased=False, keepdim=True)
            x = (x - mean) / (variance + 1e-5).sqrt()
        x = torch.where(x > 0, x, 0.2 * x)
    expected = x.flatten(1) @ network.last.weight.T + network.last.bias
    for mode in (network.train(), network.eval()):
        torch.testing.assert_close(mode(images), expected[:, 0], atol=1e-5, rtol=1e-4)


def test_the_composer_sees_the_embeddings_at_each_pixel():
    torch.manual_seed(0)
    composer = Composer(SIZE, 2).double()
    poses = PEOPLE.poses[:2]
    foreground, background = torch.randn(2, 224).double(), torch.randn(2, 128).double()
    codes = torch.cat([foreground, background], 1)[:, :, None, None].expand(-1, -1, *SIZE)
    expected = composer.unet(torch.cat([codes, discs(poses, SIZE).double()], 1))
    torch.testing.assert_close(composer(Appearance(foreground, background), poses), expected)


def test_regions_that_are_not_visible_have_no_embedding():
    torch.manual_seed(0)
    images, given = torch.rand(2, 3, *SIZE) * 2 - 1, PEOPLE.poses[:2]
    visible = given.visible.clone()
    visible[:, 11:14] = False  # the left leg, the sixth region
    for convention, zero in (("released", True), ("paper", False)):
        codes = AppearanceEncoder(SIZE, 2, convention)(images, Pose(given.joints, visible)).foreground
        assert (codes.view(2, 7, 32)[:, 5] == 0).all() == zero
        assert (codes.view(2, 7, 32)[:, :5] != 0).all()


def test_foreground_and_background_come_from_different_places():
    """A pixel far from the person does not change the foreground, one on the person not the background."""
    torch.manual_seed(0)
    encoder = AppearanceEncoder(SIZE, 2)
    joints = torch.tensor([[32.0, 30.0]]).repeat(18, 1) + torch.arange(18)[:, None] * torch.tensor([0.0, 2.0])
    pose = Pose(joints[None], torch.ones(1, 18, dtype=torch.bool))
    image = torch.zeros(1, 3, *SIZE)
    plain = encoder(image, pose)
    for (x, y), changed in (((2, 120), "background"), ((32, 47), "foreground")):
        other = image.clone()
        other[:, :, y, x] = 1
        for name, before, after in zip(plain._fields, plain, encoder(other, pose), strict=True):
            assert torch.equal(before, after) == (name != changed), (name, changed)


def test_pose_vectors_go_there_and_back():
    given = PEOPLE.poses
    visible = given.visible.clone()
    visible[0, 3] = False
    pose = Pose(given.joints, visible)
    vectors = pose_vectors(pose, SIZE)
    x, y = pose.joints[1, 4].tolist()
    assert vectors[1, 4].tolist() == pytest.approx([2 * x / 64 - 1, 2 * y / 128 - 1, 1])
    assert vectors[0, 3].tolist() == [-1, -1, 0]
    back = poses_of(vectors, SIZE)
    assert torch.equal(back.visible, visible)
    torch.testing.assert_close(back.joints[visible], pose.joints[visible])


def test_rounded_visibility_passes_gradients():
    torch.manual_seed(0)
    decoder = PoseDecoder()
    codes = torch.randn(2, 32, requires_grad=True)
    vectors = decoder(codes)
    assert set(vectors[..., 2].flatten().tolist()) <= {0.0, 1.0}
    vectors[..., 2].sum().backward()
    assert codes.grad.abs().sum() > 0


class Spied(Disentangled):
    """Keeps, at each step of a critic, the weights of the encoders and the real embeddings that it saw."""

    def __init__(self, **options):
        super().__init__(SIZE, **options)
        self.seen = []

    def embeddings(self, factor, images, poses):
        found = super().embeddings(factor, images, poses)
        network = self.pose_encoder if factor == "pose" else self.encoder
        self.seen.append((factor, {name: value.clone() for name, value in network.state_dict().items()}, found))
        return found


def trained(folder, average=0.5, made=Spied, **options):
    torch.manual_seed(0)
    method = made(**{**TINY, **options})
    before = {name: {k: v.clone() for k, v in n.state_dict().items()} for name, n in method.networks.items()}
    log = train(method, PEOPLE, PAIRS, Scratch("dpig", {}, folder), average=average, log_every=1, checkpoint_every=1)
    return method, before, log


def test_critics_see_encodings_of_trained_encoders(tmp_path):
    """Those are the averaged ones that people are redrawn with in the end, and are not what training began with."""
    method, before, log = trained(tmp_path)
    assert [entry["phase"] for entry in log] == [
        name for name in ("image", "pose", "foreground mapping", "background mapping", "pose mapping") for _ in range(2)
    ]
    assert len(method.seen) == 3 * 2 * 5
    for factor, state, _ in method.seen:
        name = "pose encoder" if factor == "pose" else "encoder"
        final = method.networks[name].state_dict()
        assert all(torch.equal(state[key], value) for key, value in final.items())
        assert not all(torch.equal(before[name][key], value) for key, value in final.items())


@pytest.mark.parametrize(
    ("phase", "networks"),
    [
        ("image", {"encoder", "composer", "discriminator"}),
        ("pose", {"pose encoder", "pose decoder"}),
        ("foreground mapping", {"foreground mapping", "foreground critic"}),
        ("background mapping", {"background mapping", "background critic"}),
        ("pose mapping", {"pose mapping", "pose critic"}),
    ],
)
def test_a_phase_trains_its_networks_alone(phase, networks):
    torch.manual_seed(0)
    method = Disentangled(SIZE, **TINY)
    its = next(one for one in method.phases(torch.device("cpu")) if one.name == phase)
    assert set(its.trains) == networks
    before = {name: {k: v.clone() for k, v in n.state_dict().items()} for name, n in method.networks.items()}
    batch = PEOPLE.batch(Tuples.of_pairs(torch.arange(2), torch.arange(2)))
    method.step(its, 0, iter([batch] * its.batches))
    changed = {
        name
        for name, network in method.networks.items()
        if any(not torch.equal(before[name][key], value) for key, value in network.state_dict().items())
    }
    assert changed == networks


def test_phases_without_iterations_are_left_out():
    method = Disentangled(SIZE, **TINY | {"mapping_iterations": 0, "pose_mapping_iterations": 0})
    assert [phase.name for phase in method.phases(torch.device("cpu"))] == ["image", "pose"]


def test_optimisers_are_those_of_the_convention():
    for convention, kind in (("released", torch.optim.RMSprop), ("paper", torch.optim.Adam)):
        phases = Disentangled(SIZE, **TINY, convention=convention).phases(torch.device("cpu"))
        kinds = {phase.name: {type(optimiser) for optimiser in phase.optimisers.values()} for phase in phases}
        assert kinds["image"] == kinds["pose"] == {torch.optim.Adam}
        assert kinds["pose mapping"] == kinds["foreground mapping"] == {kind}
    (optimiser, _) = Disentangled(SIZE, **TINY).phases(torch.device("cpu"))[-1].optimisers.values()
    assert (optimiser.defaults["alpha"], optimiser.defaults["eps"]) == (0.9, 1e-10)


def test_the_learning_rate_is_halved():
    method = Disentangled(SIZE, **TINY, halve_every=10)
    (_, phase, *_) = method.phases(torch.device("cpu"))
    batch = PEOPLE.batch(Tuples.of_pairs(torch.arange(2), torch.arange(2)))
    for iteration, rate in ((9, 1e-3), (10, 5e-4), (25, 2.5e-4)):
        method.step(phase, iteration, iter([batch]))
        assert phase.optimisers["auto-encoder"].param_groups[0]["lr"] == pytest.approx(rate)


def test_mirrored_images_have_mirrored_poses():
    method = Disentangled(SIZE, **{**TINY, "flip": 0.5})
    batch = PEOPLE.batch(Tuples.of_pairs(torch.arange(6), torch.arange(6)))
    torch.manual_seed(0)
    found = method._flipped(batch)
    mirrored = [not torch.equal(*pair) for pair in zip(found.source, batch.source, strict=True)]
    assert {True, False} == set(mirrored)
    for image in range(6):
        old, new = batch.source_pose[image, 0], found.source_pose[image, 0]
        if mirrored[image]:
            assert torch.equal(found.source[image], batch.source[image].flip(3))
            mirror_images = [[63 - x, y] for x, y in old.joints.tolist()]
            left, right = JOINTS.index("left_wrist"), JOINTS.index("right_wrist")
            assert new.joints[left].tolist() == pytest.approx(mirror_images[right])
            assert new.joints[0].tolist() == pytest.approx(mirror_images[0])
            assert new.visible[left] == old.visible[right]
        else:
            assert torch.equal(new.joints, old.joints)


def test_critics_are_clipped(tmp_path):
    method, _, _ = trained(tmp_path)
    for critic in method.critics.values():
        assert max(float(weight.detach().abs().max()) for weight in critic.parameters()) <= CLIP


def test_the_losses_of_an_iteration_are_those_of_the_equations():
    """Eq. 1 and 2, with hardly a learning rate, so that the generator's step sees the same discriminator."""
    torch.manual_seed(0)
    method = Disentangled(SIZE, **{**TINY, "learning_rate": 1e-12})
    (phase, *_) = method.phases(torch.device("cpu"))
    first, second = (PEOPLE.batch(Tuples.of_pairs(torch.tensor(rows), torch.tensor(rows))) for rows in ([0, 1], [2, 3]))
    losses = {name: loss.item() for name, loss in method.step(phase, 0, iter([first, second])).items()}

    def composed(batch):
        return method.composer(method.encoder(batch.source[:, 0], batch.source_pose[:, 0]), batch.source_pose[:, 0])

    real = torch.sigmoid(method.discriminator(first.source[:, 0]))
    fake = torch.sigmoid(method.discriminator(composed(first)))
    fooled = torch.sigmoid(method.discriminator(composed(second)))
    assert losses["discriminator"] == pytest.approx(
        (-0.5 * (real.log().mean() + (1 - fake).log().mean())).item(), rel=1e-4
    )
    assert losses["adversarial"] == pytest.approx(-fooled.log().mean().item(), rel=1e-4)
    difference = (composed(second) - second.source[:, 0]).abs().mean()
    assert losses["reconstruction"] == pytest.approx(difference.item(), rel=1e-4)


def test_wasserstein_distances_by_hand():
    torch.manual_seed(0)
    method = Disentangled(SIZE, **{**TINY, "learning_rate": 1e-12})
    for critic in method.critics.values():
        nn.init.uniform_(critic.layers[0].weight, -CLIP, CLIP)
    phase = next(phase for phase in method.phases(torch.device("cpu")) if phase.name == "pose mapping")
    batch = PEOPLE.batch(Tuples.of_pairs(torch.arange(6), torch.arange(6)))
    with torch.no_grad():
        for weight in method.critics["pose"].parameters():
            weight.clamp_(-CLIP, CLIP)
    torch.manual_seed(1)
    losses = {name: loss.item() for name, loss in method.step(phase, 0, iter([batch] * 5)).items()}
    torch.manual_seed(1)
    noise = [0.2 * torch.randn(count, 32) for count in (6, 6, 6, 6, 6, 2)]
    vectors = pose_vectors(PEOPLE.poses, SIZE).flatten(1)
    real = method.critics["pose"](method.pose_encoder(vectors)).mean()
    fake = [method.critics["pose"](method.mappings["pose"](own)).mean() for own in noise]
    assert losses["distance"] == pytest.approx((real - fake[4]).item(), abs=1e-7)
    assert losses["mapping"] == pytest.approx(-fake[5].item(), abs=1e-7)


def test_people_are_redrawn_and_made_of_noise():
    torch.manual_seed(0)
    method = Disentangled(SIZE, **TINY)
    batch = PEOPLE.batch(Tuples.of_pairs(torch.tensor([0, 1]), torch.tensor([2, 3])), with_target=False)
    images = method.generate(batch)
    foreground = method.embeddings("foreground", batch.source[:, 0], batch.source_pose[:, 0])
    background = method.embeddings("background", batch.source[:, 0], batch.source_pose[:, 0])
    codes = torch.cat([foreground, background], 1)[:, :, None, None].expand(-1, -1, *SIZE)
    maps = torch.cat([codes, discs(batch.target_pose, SIZE)], 1)
    torch.testing.assert_close(images, method.composer.unet(maps).clamp(-1, 1), atol=1e-5, rtol=1e-4)
    assert -1 <= images.min() <= images.max() <= 1
    codes = {name: method.from_noise(name, method.noise(name, 2)) for name in CODES}
    made = method.compose(Appearance(codes["foreground"], codes["background"]), method.decode_pose(codes["pose"]))
    assert made.shape == (2, 3, *SIZE)


def test_a_sampled_person_has_one_foreground_and_many_backgrounds(monkeypatch):
    torch.manual_seed(0)
    method = Disentangled(SIZE, **TINY)
    seen = []
    monkeypatch.setattr(method.composer, "forward", lambda appearance, poses: seen.append(appearance) or torch.zeros(1))
    method.sample(PEOPLE.poses[:3])
    (appearance,) = seen
    assert (appearance.foreground == appearance.foreground[0]).all()
    assert len(appearance.background.unique(dim=0)) == 3


def test_noise_is_found_from_its_embedding():
    torch.manual_seed(0)
    mapping = Mapping(4, 4, 16)
    wanted = 0.2 * torch.randn(3, 4)
    with torch.no_grad():
        codes = mapping(wanted)
        found = to_noise(mapping, codes)
        error, before = (mapping(found) - codes).norm(), (mapping(torch.zeros_like(wanted)) - codes).norm()
    assert error < 0.01 * before
    assert all(parameter.grad is None for parameter in mapping.parameters())


def test_noise_between_two_is_evenly_spaced():
    ends = Factors(torch.randn(2, 224), torch.randn(2, 128), torch.randn(2, 32))
    found = between(ends, 5)
    for part, (first, last) in zip(found, ends, strict=True):
        assert len(part) == 5
        torch.testing.assert_close(part[0], first)
        torch.testing.assert_close(part[4], last)
        torch.testing.assert_close(part[1], 0.75 * first + 0.25 * last)


def test_one_factor_at_a_time_is_exchanged():
    """What is composed with a factor of another image has the other two of its own."""
    torch.manual_seed(0)
    method = Disentangled(SIZE, **TINY)
    known = torch.ones(4, 18, dtype=torch.bool)
    method.decode_pose = lambda codes: Pose(32 + codes[:, :2].clamp(-9, 9)[:, None].expand(-1, 18, -1), known)
    batch = PEOPLE.batch(Tuples.of_pairs(torch.arange(4), torch.arange(4)))
    own = encoded(method, *batch.single_source())
    order = [1, 2, 3, 0]
    other = own.of(order)
    pose, other_pose = method.decode_pose(own.pose), method.decode_pose(other.pose)
    for factor, appearance, drawn in (
        ("foreground", Appearance(other.foreground, own.background), pose),
        ("background", Appearance(own.foreground, other.background), pose),
        ("pose", Appearance(own.foreground, own.background), other_pose),
    ):
        found = composed(method, own._replace(**{factor: getattr(other, factor)}))
        torch.testing.assert_close(found, method.compose(appearance, drawn))
        assert not torch.equal(found, composed(method, own))
