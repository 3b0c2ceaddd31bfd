import copy
import socket
import warnings

import pytest
import torch
from torch import nn
from torchvision import models

from reid.common.errors import InputError
from reid.files.weights import MissingWeights
from reid.networks.backbones import BACKBONES, build, check_name
from reid.networks.foreign import DEVIATION, MEAN, STATISTICS
from reid.networks.freezing import FrozenBatchNorm, freeze
from reid.networks.libraries import torchvision_names

IMAGES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
NORMALISED = ((IMAGES + 1) / 2 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(DEVIATION).view(3, 1, 1)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
TORCHVISION = {
    "alexnet": 4096,
    "convnext_tiny": 768,
    "densenet121": 1024,
    "efficientnet_b0": 1280,
    "googlenet": 1024,
    "mnasnet0_5": 1280,
    "mobilenet_v3_small": 1024,
    "regnet_x_400mf": 400,
    "resnet18": 512,
    "shufflenet_v2_x0_5": 1024,
    "squeezenet1_1": 512,
    "swin_t": 768,
}
TORCHREID = {
    "osnet_x0_25": (512, (64, 32)),
    "osnet_ain_x0_25": (512, (64, 32)),
    "mobilenetv2_x1_0": (1280, (64, 32)),
    "mlfn": (1024, (64, 32)),
    "pcb_p4": (8192, (64, 32)),
    "hacnn": (1024, (160, 64)),
    "squeezenet1_0_fc512": (512, (64, 32)),
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a network connection was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)


def same(ours, theirs):
    """Features of random networks are tiny: compare them at their own scale."""
    scale = theirs.detach().abs().max()
    assert scale > 0 or not theirs.requires_grad  # a gradient may be zero
    scale = scale or torch.tensor(1.0)
    torch.testing.assert_close(ours / scale, theirs / scale, rtol=1e-4, atol=1e-5)


def make(name, **options):
    torch.manual_seed(0)
    return build(name, pretrained=False, **options)


@pytest.mark.parametrize("name", BACKBONES)
def test_ours_are_built_by_name(name):
    torch.manual_seed(0)
    expected = BACKBONES[name](pretrained=False).eval()
    assert torch.equal(make(name).eval()(IMAGES), expected(IMAGES))


@pytest.mark.parametrize("name", TORCHVISION)
def test_a_torchvision_feature_is_what_its_classifier_gets(name):
    backbone = make(f"torchvision:{name}").eval()
    features = backbone(IMAGES)
    assert features.shape == (2, backbone.dimensions) == (2, TORCHVISION[name])
    options = {"aux_logits": False, "init_weights": False, "transform_input": True} if name == "googlenet" else {}
    torch.manual_seed(0)
    whole, seen = models.get_model(name, weights=None, **options).eval(), []
    if name == "squeezenet1_1":  # no linear layer: means of the convolution's input, after the rest of its classifier
        seen.append(whole.features(NORMALISED).relu().mean((2, 3)))
    else:
        last = [module for module in whole.modules() if isinstance(module, nn.Linear)][-1]
        last.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
        whole(NORMALISED)
    same(features, seen[0])


def test_images_are_normalised_as_those_that_published_weights_were_trained_on():
    for name in torchvision_names():
        said = [weights.transforms.keywords for weights in models.get_model_weights(name)]
        published = [(given.get("mean", MEAN), given.get("std", DEVIATION)) for given in said]
        assert STATISTICS.get(f"torchvision:{name}", (MEAN, DEVIATION)) in published


def test_every_torchvision_name_is_known():
    for name in torchvision_names():
        check_name(f"torchvision:{name}")
    assert {"vgg16", "vit_b_16", "inception_v3"} <= set(torchvision_names())


@pytest.mark.parametrize("name", TORCHREID)
def test_a_torchreid_feature_is_what_the_library_gives(name):
    backbone = make(f"torchreid:{name}")
    dimensions, (height, width) = TORCHREID[name]
    images = IMAGES.repeat(1, 1, 3, 1)[:, :, :height, :width]
    normalised = NORMALISED.repeat(1, 1, 3, 1)[:, :, :height, :width]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchreid.reid.models import build_model

        torch.manual_seed(0)
        theirs = build_model(name, 1, loss="softmax", pretrained=False, use_gpu=False).eval()(normalised)
    features = backbone.eval()(images.contiguous(memory_format=torch.channels_last))
    assert features.shape == (2, backbone.dimensions) == (2, dimensions)
    same(features, theirs)


@pytest.mark.parametrize("name", TORCHREID)
def test_torchreid_gives_features_in_training_and_all_of_it_is_trained(name):
    backbone = make(f"torchreid:{name}").train()
    dimensions, (height, width) = TORCHREID[name]
    features = backbone(IMAGES.repeat(1, 1, 3, 1)[:, :, :height, :width])
    assert features.shape == (2, dimensions)
    features.square().sum().backward()
    assert [key for key, parameter in backbone.named_parameters() if parameter.grad is None] == []


def test_training_features_are_those_of_evaluation_where_nothing_is_random():
    backbone = make("torchreid:osnet_x0_25")
    freeze(backbone)
    images = IMAGES[..., :32]
    same(backbone.train()(images), copy.deepcopy(backbone).eval()(images))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet18", "torchvision:resnet18"),
        ("torchvison:resnet50", "resnet50, torchvision:resnet50"),
        ("torchvision:resnet19", "torchvision:resnet18"),
        ("mobilenet", "mobilenet-v2"),
        ("torchreid:", "there is no backbone"),
        ("", "there is no backbone"),
    ],
)
def test_unknown_names_are_answered_by_near_ones(name, words):
    with pytest.raises(InputError, match=words):
        check_name(name)


def test_unknown_torchreid_network():
    check_name("torchreid:osnet_1")
    with pytest.raises(InputError, match=r"the nearest are .*torchreid:osnet_x1_0"):
        build("torchreid:osnet_1")


@pytest.mark.parametrize(
    ("name", "size"),
    [("torchvision:vit_b_32", "224, 224"), ("torchreid:hacnn", "160, 64"), ("torchreid:mudeep", "256, 128")],
)
def test_a_fixed_size_is_said(name, size):
    with pytest.raises(InputError, match=rf"images of \[{size}\] .* these are \[64, 64\]"):
        make(name)(IMAGES)


def test_too_small_images_are_said():
    with pytest.raises(InputError, match=r"inception_v3: images of \[64, 64\] \(H, W\) are too small"):
        make("torchvision:inception_v3").eval()(IMAGES)


def test_pretrained_needs_a_file():
    with pytest.raises(InputError, match=r"`weights: PATH` \(torchvision publishes resnet18-f37072fd.pth\)"):
        build("torchvision:resnet18")
    with pytest.raises(InputError, match=r"weights: PATH"):
        build("torchreid:osnet_x0_25")


@pytest.mark.parametrize("name", ["torchvision:resnet18", "torchvision:mnasnet0_5", "mobilenet-v2", "resnet50"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_weights_of_a_file(name, wrapped, tmp_path):
    model = name.removeprefix("torchvision:").replace("-", "_")
    torch.manual_seed(1)
    state = models.get_model(model, weights=None).state_dict()
    whole = models.get_model(model, weights=None).eval()
    whole.load_state_dict(state)
    if wrapped:
        metadata = state._metadata
        state = type(state)((f"module.{key}", value) for key, value in state.items())
        state._metadata = type(metadata)((f"module.{key}".rstrip("."), value) for key, value in metadata.items())
    torch.save({"state_dict": state, "epoch": 3} if wrapped else state, tmp_path / "weights.pth")
    backbone = build(name, True, str(tmp_path / "weights.pth")).eval()
    seen = []
    last = [module for module in whole.modules() if isinstance(module, nn.Linear)][-1]
    last.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    whole(NORMALISED)
    same(backbone(IMAGES), seen[0])
    with pytest.raises(AssertionError):
        same(make(name).eval()(IMAGES), seen[0])


def test_weights_are_not_read_without_pretrained():
    make("torchvision:resnet18", weights="nowhere.pth")


def test_old_names_of_densenet(tmp_path):
    state = models.densenet121(weights=None).state_dict()
    old = {
        key.replace("norm1.", "norm.1.")
        .replace("norm2.", "norm.2.")
        .replace("conv1.", "conv.1.")
        .replace("conv2.", "conv.2."): value
        for key, value in state.items()
        if not key.endswith("num_batches_tracked")
    }
    torch.save(old, tmp_path / "densenet.pth")
    backbone = build("torchvision:densenet121", True, str(tmp_path / "densenet.pth"))
    assert torch.equal(
        backbone.network.features.denseblock4.denselayer16.conv2.weight,
        state["features.denseblock4.denselayer16.conv2.weight"],
    )


def test_torchreid_takes_torchvisions_files(tmp_path):
    state = models.resnet50(weights=None).state_dict()
    torch.save(state, tmp_path / "resnet50.pth")
    for name in ("torchreid:resnet50", "torchreid:pcb_p4"):
        backbone = build(name, True, str(tmp_path / "resnet50.pth"))
        assert torch.equal(backbone.network.layer4[1].conv2.weight, state["layer4.1.conv2.weight"])


def test_weights_that_do_not_fit_are_named(tmp_path):
    path = tmp_path / "weights.pth"
    state = models.resnet18(weights=None).state_dict()
    del state["layer1.0.conv1.weight"]
    state["extra.weight"] = torch.zeros(1)
    torch.save(state, path)
    with pytest.raises(
        InputError, match=r"weights.pth does not .*1 missing: layer1.0.conv1.weight; 1 unexpected: extra"
    ):
        build("torchvision:resnet18", True, str(path))
    state["conv1.weight"] = torch.zeros(64, 3, 3, 3)
    torch.save(state, path)
    with pytest.raises(
        InputError, match=r"1 missing.*1 unexpected.*shape: conv1.weight \[64, 3, 3, 3\] instead of \[64, 3, 7, 7\]"
    ):
        build("torchvision:resnet18", True, str(path))


class Anything:
    pass


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"state_dict": {"conv1.weight": torch.zeros(1)}, "by": Anything()}, "holds more than tensors"),
        ({"epoch": 3}, "it holds a dict of epoch"),
        ([torch.zeros(1)], "it holds a list"),
    ],
)
def test_files_that_hold_something_else(content, words, tmp_path):
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(InputError, match=words):
        build("torchvision:resnet18", True, str(tmp_path / "weights.pth"))


def test_damaged_and_missing_files(tmp_path):
    (tmp_path / "weights.pth").write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(InputError, match="holds more than tensors"):
        build("torchvision:resnet18", True, str(tmp_path / "weights.pth"))
    (tmp_path / "weights.pth").write_bytes(b"")
    with pytest.raises(InputError, match="holds more than tensors"):
        build("torchvision:resnet18", True, str(tmp_path / "weights.pth"))
    with pytest.raises(MissingWeights, match="nowhere.pth does not exist"):
        build("torchvision:resnet18", True, "nowhere.pth")


@pytest.mark.parametrize("name", ["torchvision:resnet18", "torchvision:densenet121", "torchreid:osnet_x0_25"])
def test_frozen_batch_norm(name):
    plain = make(name)
    for module in plain.modules():
        if isinstance(module, NORMS):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    frozen, count = copy.deepcopy(plain), sum(isinstance(m, NORMS) for m in plain.modules())
    freeze(frozen)
    assert sum(isinstance(m, FrozenBatchNorm) for m in frozen.modules()) == count > 10
    assert frozen.state_dict().keys() == plain.state_dict().keys()
    before = {key: value.clone() for key, value in frozen.named_buffers()}
    expected = plain.eval()(IMAGES)
    features = frozen.train()(IMAGES)
    same(features, expected)
    features.square().sum().backward()
    expected.square().sum().backward()
    assert all(torch.equal(value, before[key]) for key, value in frozen.named_buffers())
    for ours, theirs in zip(frozen.parameters(), plain.parameters(), strict=True):
        same(ours.grad, theirs.grad)
    frozen.load_state_dict(make(name).state_dict())


def test_a_batch_norm_used_twice_stays_one():
    norm = nn.BatchNorm1d(4)
    network = nn.Sequential(nn.Linear(4, 4), norm, nn.Linear(4, 4), norm, nn.BatchNorm1d(4, track_running_stats=False))
    freeze(network)
    assert network[1] is network[3]
    assert isinstance(network[1], FrozenBatchNorm)
    assert isinstance(network[4], nn.BatchNorm1d)
