"""DPIG's networks against counts and formulas written anew."""

import pytest
import torch
from poses import random_poses
from torch import nn
from torch.nn import functional as F

from augment.geometry.body_regions import region_boxes
from augment.geometry.discs import coarse_mask, discs
from augment.methods.disentangled.appearance import Appearance, AppearanceEncoder, Composer, scale_of
from augment.methods.disentangled.method import CODES, Disentangled
from augment.methods.disentangled.vectors import Critic, Mapping, PoseDecoder, pose_vectors, poses_of
from augment.networks.dcgan import DCGANDiscriminator
from augment.networks.residual_unet import ResidualUNet
from augment.poses import Pose
from reid.common.errors import InputError

SIZE = (128, 64)
POSES = random_poses(6, 0)


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
    whole = AppearanceEncoder(SIZE, body="whole")
    assert count(whole) == stem + levels(128) + 8 * 4 * 640 * 224 + 224 + background
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


def test_parameters_of_the_variant_without_backgrounds_of_larger_images():
    """DeepFashion's: regions of 64 pixels, seven levels for them, five for the U-Net; nothing is masked."""
    size = (256, 256)
    blocks = sum(2 * convolution(128 * level, 128 * level, 3) for level in range(1, 8))
    blocks += sum(convolution(128 * level, 128 * (level + 1), 3) for level in range(1, 7))
    stem = convolution(3, 128, 3) + 2 * convolution(128, 128, 3)
    with torch.device("meta"):
        encoder, composer = AppearanceEncoder(size, backgrounds=False), Composer(size, backgrounds=False)
        assert count(encoder) == stem + blocks + 7 * 128 * 32 + 32
        assert composer.unet.first.in_channels == 224 + 18
        assert composer.unet.coarsest == (16, 16)


def test_regions_of_images_of_at_most_64_pixels_are_half_as_large_with_a_level_less():
    blocks = sum(2 * convolution(128 * level, 128 * level, 3) for level in range(1, 5))
    blocks += sum(convolution(128 * level, 128 * (level + 1), 3) for level in range(1, 4))
    with torch.device("meta"):
        encoder = AppearanceEncoder((64, 32))
    assert encoder.scale.side == 24
    assert count(encoder.region_levels) + count(encoder.to_region) == blocks + 3 * 3 * 512 * 32 + 32


@torch.no_grad()
def test_without_backgrounds_all_of_the_image_is_seen():
    torch.manual_seed(0)
    encoder = AppearanceEncoder(SIZE, 4, body="whole", backgrounds=False).eval()
    image, pose = torch.rand(1, 3, *SIZE) * 2 - 1, POSES[:1]
    code = encoder(image, pose)
    assert code.background.shape == (1, 0)
    other = image.clone()
    other[:, :, -1, -1] = 1
    assert not torch.equal(encoder(other, pose).foreground, code.foreground)
    assert Composer(SIZE, 4, backgrounds=False)(code, pose).shape == image.shape


@torch.no_grad()
def test_the_whole_body_is_encoded_at_once():
    """Each value is of all of the person: what regions there are does not matter, and nothing outside of the mask."""
    torch.manual_seed(0)
    encoder = AppearanceEncoder(SIZE, 4, body="whole").eval()
    image, pose = torch.rand(1, 3, *SIZE) * 2 - 1, POSES[:1]
    code = encoder.foreground(image, pose)
    assert code.shape == (1, 224)
    mask = coarse_mask(pose, SIZE)[0]
    assert mask.any()
    far = (
        F.max_pool2d(mask[None].float(), 13, 1, 6)[0] == 0
    )  # beyond the reach of the three convolutions before the mask
    other = image.clone()
    other[:, :, far] = 1
    torch.testing.assert_close(encoder.foreground(other, pose), code)
    other[:, :, mask] = 1
    assert not torch.allclose(encoder.foreground(other, pose), code)


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
    first, _, *middle, last = mapping
    assert len(middle) == 4
    torch.testing.assert_close(mapping(x), linear(last, units(middle, act(linear(first, x)))))
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
    poses = POSES[:2]
    foreground, background = torch.randn(2, 224).double(), torch.randn(2, 128).double()
    codes = torch.cat([foreground, background], 1)[:, :, None, None].expand(-1, -1, *SIZE)
    expected = composer.unet(torch.cat([codes, discs(poses, SIZE).double()], 1))
    torch.testing.assert_close(composer(Appearance(foreground, background), poses), expected)


def test_regions_that_are_not_visible_have_no_embedding():
    torch.manual_seed(0)
    images, given = torch.rand(2, 3, *SIZE) * 2 - 1, POSES[:2]
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
    given = POSES
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


def test_the_scale_follows_the_images():
    """At half the size a person's mask and regions cover as much of the image, to a pixel's rounding."""
    small, large = (scale_of(size) for size in ((64, 32), (128, 64)))
    half = Pose(POSES.joints / 2, POSES.visible)
    shares = [
        coarse_mask(poses, size, scale.mask).float().mean().item()
        for poses, size, scale in ((POSES, (128, 64), large), (half, (64, 32), small))
    ]
    assert shares[1] == pytest.approx(shares[0], rel=0.1)
    boxes = [
        region_boxes(poses, size, scale.margin, scale.single_margin)[0]
        for poses, size, scale in ((POSES, (128, 64), large), (half, (64, 32), small))
    ]
    torch.testing.assert_close(2 * boxes[1], boxes[0], atol=1.0, rtol=0)
    assert scale_of((256, 256)) == (64, 7, 4, 8, 10, 20)


def test_initial_weights_are_the_released_ones():
    """Xavier's, He's of critics but for their last layer; all uniform, and no biases."""
    torch.manual_seed(0)
    method = Disentangled(SIZE, width=1 / 32)

    def bound(layer):
        assert (layer.bias == 0).all()
        return layer.weight.abs().max().item()

    for network in (method.pose_encoder, method.pose_decoder, *method.mappings.values()):
        for layer in network.modules():
            if isinstance(layer, nn.Linear):
                assert bound(layer) == pytest.approx((6 / (layer.in_features + layer.out_features)) ** 0.5, rel=0.02)
    for critic in method.critics.values():
        *inner, last = critic.layers
        for layer in inner:
            assert bound(layer) == pytest.approx((6 / layer.in_features) ** 0.5, rel=0.02)
        assert bound(last) == pytest.approx((6 / 513) ** 0.5, rel=0.02)
