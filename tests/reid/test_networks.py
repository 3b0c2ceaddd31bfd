from copy import deepcopy

import pytest
import torch
from torch import nn

from reid.networks import NETWORKS, storage
from reid.networks.backbones import BACKBONES, mobilenet_v2
from reid.networks.folding import FoldedConvolution, fold

IMAGES = torch.rand(3, 3, 64, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
LABELS = torch.tensor([0, 1, 1])


def build(name, **options):
    torch.manual_seed(0)
    return NETWORKS[name](classes=2, backbone="mobilenet-v2", input_size=(64, 32), **options)


@pytest.mark.parametrize("name", NETWORKS)
def test_contract(name, tmp_path):
    network = build(name, pretrained=False)
    loss = network.train().loss(IMAGES, LABELS)
    assert loss.shape == (3,)
    loss.mean().backward()
    assert all(p.grad is not None for p in network.parameters())
    features = network.eval().embed(IMAGES)
    assert features.shape == (3, 1280)
    options = {"classes": 2, "backbone": "mobilenet-v2", "input_size": [64, 32]}
    storage.save(network, name, options, tmp_path, {"image_size": [64, 32]})
    loaded, config = storage.load(tmp_path)
    assert torch.equal(loaded.embed(IMAGES), features)
    assert config["image_size"] == [64, 32]


def test_frozen_batch_norm_keeps_its_statistics_and_trains_its_scale():
    network = build("ide", freeze_batch_norm=True, pretrained=False).train()
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 52
    before = [m.running_mean.clone() for m in norms]
    network.loss(IMAGES, LABELS).mean().backward()
    assert all(torch.equal(m.running_mean, mean) for m, mean in zip(norms, before, strict=True))
    assert all(m.weight.grad is not None for m in norms)
    moving = build("ide", freeze_batch_norm=False, pretrained=False).train()
    before = [m.running_mean.clone() for m in moving.modules() if isinstance(m, nn.BatchNorm2d)]
    moving.loss(IMAGES, LABELS)
    after = [m.running_mean for m in moving.modules() if isinstance(m, nn.BatchNorm2d)]
    assert not any(torch.equal(a, b) for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize("name", BACKBONES)
def test_folding_changes_neither_the_function_nor_its_gradients(name):
    torch.manual_seed(0)
    plain = BACKBONES[name](pretrained=False).double().eval()
    for module in plain.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    folded = deepcopy(plain)
    fold(folded)
    assert sum(isinstance(m, FoldedConvolution) for m in folded.modules()) == sum(
        isinstance(m, nn.BatchNorm2d) for m in plain.modules()
    )
    for network in (plain, folded):
        network(IMAGES.double()).square().sum().backward()
    torch.testing.assert_close(folded(IMAGES.double()), plain(IMAGES.double()))
    expected = [p.grad for p in plain.parameters()]
    for got, wanted in zip((p.grad for p in folded.parameters()), expected, strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-8, atol=1e-8 * float(wanted.abs().max()) + 1e-12)


def test_images_are_resized_to_the_input_size():
    network = build("ide", pretrained=False).eval()
    small = torch.nn.functional.interpolate(IMAGES.repeat_interleave(2, 2).repeat_interleave(2, 3), (64, 32))
    assert torch.equal(network.embed(small), network.embed(IMAGES))
    assert network.embed(torch.rand(1, 3, 128, 64)).shape == (1, 1280)


def test_imagenet_weights_are_used():
    # A trained network tells a photo-like ramp from its mirror image far less than from noise.
    network = mobilenet_v2().eval()
    ramp = torch.linspace(-1, 1, 64)[:, None].expand(1, 3, 64, 64) * torch.linspace(0.2, 1, 64)
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        a, b, c = (nn.functional.normalize(network(x)) for x in (ramp, ramp.flip(3), noise))
    assert (a * b).sum() > (a * c).sum() + 0.2


@pytest.mark.parametrize("name", BACKBONES)
def test_backbones(name):
    backbone = BACKBONES[name](pretrained=False).eval()
    assert backbone(IMAGES).shape == (3, backbone.dimensions)


def test_loading_from_nowhere_says_what_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config.json does not exist: .* holds no trained network"):
        storage.load(tmp_path)
