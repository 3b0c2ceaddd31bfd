import math
from contextlib import nullcontext
from copy import deepcopy

import pytest
import torch
from torch import nn

from reid.common import parameters
from reid.common.errors import InputError
from reid.networks import NETWORKS, storage
from reid.networks.backbones import BACKBONES, mobilenet_v2
from reid.networks.crops import fit
from reid.networks.folding import FoldedConvolution, fold

IMAGES = torch.rand(4, 3, 64, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
LABELS = torch.tensor([0, 1, 1, 1])
SMALL = {"backbone": "mobilenet-v2", "input_size": (64, 32), "crop_size": None}


def build(name, **options):
    torch.manual_seed(0)
    return NETWORKS[name](**{"classes": 2, **SMALL, **options})


@pytest.mark.parametrize("name", NETWORKS)
def test_the_signature_describes_the_options(name):
    found = parameters.options(NETWORKS[name], {"backbone": "mobilenet-v2"}, {"classes", "pretrained"})
    assert NETWORKS[name](**found, classes=2, pretrained=False)
    with pytest.raises(ValueError, match=r"dropout\n  Input should be less than or equal to 1"):
        parameters.options(NETWORKS[name], {"dropout": 2}, {"classes", "pretrained"})


@pytest.mark.parametrize("name", NETWORKS)
def test_contract(name, tmp_path):
    network = build(name, pretrained=False)
    loss = network.train().loss(IMAGES, LABELS)
    assert loss.shape == (2 if name == "siamese" else 4,)
    loss.mean().backward()
    assert all(p.grad is not None for p in network.parameters() if p.requires_grad)
    features = network.eval().embed(IMAGES)
    assert features.shape == (4, 1280)
    options = {"classes": 2, **SMALL, "input_size": [64, 32]}
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


@pytest.mark.slow
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
    assert backbone(IMAGES).shape == (4, backbone.dimensions)


def test_an_unknown_network_is_named(tmp_path):
    storage.save(torch.nn.Linear(1, 1), "gone", {}, tmp_path, {})
    with pytest.raises(
        ValueError, match=r"config.json names the network gone; there are ide, siamese, strong-baseline"
    ):
        storage.load(tmp_path)


def test_loading_from_nowhere_says_what_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config.json does not exist: .* holds no trained network"):
        storage.load(tmp_path)


def test_options_that_are_no_more_are_named(tmp_path):
    options = {"classes": 2, **SMALL, "mirror": True, "dropout": -1}
    storage.save(build("ide", pretrained=False), "ide", options, tmp_path, {})
    message = r"config.json: dropout: .*, got -1; mirror: unknown parameter: .* options of IDE .*; run train-reid again"
    with pytest.raises(InputError, match=message):
        storage.load(tmp_path)


def test_weights_that_are_not_the_networks_are_named(tmp_path):
    options = {"classes": 2, **SMALL}
    storage.save(build("ide", pretrained=False), "ide", options, tmp_path, {})
    weights = torch.load(tmp_path / "network.pt")
    last = list(weights)[-1]
    for wrong, message in (
        ({**weights, last: torch.zeros(1, 1, 1)}, f"size mismatch for {last}"),
        ({key: weights[key] for key in weights if key != last}, f'Missing key.*"{last}"'),
        (weights[last], "state_dict to be dict-like"),
    ):
        torch.save(wrong, tmp_path / "network.pt")
        message = (
            rf"network.pt: expected the weights of the network .*{message}.*; run `dvc checkout -f`, or train-reid"
        )
        with pytest.raises(InputError, match=message):
            storage.load(tmp_path)


def test_siamese_loss_is_that_of_the_formulas():
    network = build("siamese", pretrained=False, verification_weight=0.7).double().eval()
    network.requires_grad_(False)
    features = network.embed(IMAGES.double())
    weight, bias = network.classifier.weight, network.classifier.bias
    expected = []
    for first, second in ((0, 2), (1, 3)):
        identification = 0
        for image in (first, second):
            scores = [float((weight[k] * features[image]).sum() + bias[k]) for k in range(2)]
            identification += math.log(sum(map(math.exp, scores))) - scores[LABELS[image]]
        square = [float(a - b) ** 2 for a, b in zip(features[first], features[second], strict=True)]
        same = int(LABELS[first] == LABELS[second])
        scores = [float(network.verifier.weight[k] @ torch.tensor(square).double()) for k in range(2)]
        verification = math.log(sum(map(math.exp, scores))) - scores[same]
        expected.append(identification / 2 + 0.7 * verification)
    assert network.loss(IMAGES.double(), LABELS).tolist() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_siamese_classifiers_start_with_the_weights_asked_for(distribution):
    options = {"classifier_deviation": 0.1, "classifier_distribution": distribution}
    network = build("siamese", pretrained=False, classes=100, **options)
    for layer, _ in network.heads():
        weights = layer.weight.detach().abs().flatten()
        assert float(layer.weight.detach().std()) == pytest.approx(0.1, rel=0.05)
        within = float((weights < 0.1).float().mean())
        assert within == pytest.approx(0.683 if distribution == "normal" else 3**-0.5, abs=0.03)
        assert (weights.max() <= 0.1 * 3**0.5) == (distribution == "uniform")
        assert not layer.bias.any()


STRONG = {"classes": 3, "pretrained": False, "freeze_batch_norm": True, "unit_length": True}
PLAIN = {name: STRONG[name] for name in ("classes", "pretrained", "freeze_batch_norm")}


@pytest.mark.parametrize("unit_length", [True, False])
def test_strong_baseline_loss_is_that_of_the_formulas(unit_length):
    """One image at a time: softmax after the neck with smoothed labels, and the hardest triplet before it."""
    options = {"unit_length": unit_length, "triplet_weight": 0.7, "margin": 5.0, "label_smoothing": 0.2}
    network = build("strong-baseline", **PLAIN, **options).double().eval()
    network.requires_grad_(False)
    nn.init.uniform_(network.neck.weight, 0.5, 1.5)
    nn.init.uniform_(network.neck.running_mean)
    nn.init.uniform_(network.neck.running_var, 0.5, 1.5)
    labels, smoothing = torch.tensor([0, 1, 1, 2]), torch.tensor([0.0, 0.5, 0.1, 1.0]).double()
    features = network.features(IMAGES.double())
    neck = network.neck
    after = (features - neck.running_mean) / (neck.running_var + neck.eps).sqrt() * neck.weight
    torch.testing.assert_close(network.embed(IMAGES.double()), after)
    expected = []
    for image in range(4):
        scores = (network.classifier.weight @ after[image])[None]
        spread = max(0.2, float(smoothing[image]))
        softmax = nn.functional.cross_entropy(scores, labels[image : image + 1], label_smoothing=spread)
        compared = [one / one.norm() for one in features] if unit_length else features
        distances = [float((compared[image] - other).norm()) for other in compared]
        own = max(d for d, label in zip(distances, labels, strict=True) if label == labels[image])
        other = min(d for d, label in zip(distances, labels, strict=True) if label != labels[image])
        expected.append(float(softmax) + 0.7 * max(0, 5 + own - other))
    assert network.loss(IMAGES.double(), labels, smoothing).tolist() == pytest.approx(expected, abs=1e-5)
    assert network.classifier.bias is None


def test_the_strong_baseline_without_its_parts_is_ide():
    plain = build("ide", **PLAIN)
    options = {"neck": False, "triplet_weight": 0.0, "label_smoothing": 0.0, "last_stride": 2}
    stripped = build("strong-baseline", **STRONG, **options)
    for mine, theirs in ((plain.train(), stripped.train()), (plain.eval(), stripped.eval())):
        torch.testing.assert_close(mine.loss(IMAGES, LABELS), theirs.loss(IMAGES, LABELS))
        torch.testing.assert_close(mine.embed(IMAGES), theirs.embed(IMAGES))


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize("frozen", [True, False])
def test_a_last_stride_of_1_doubles_the_resolution(name, frozen):
    for stride, shape in ((2, (2, 1)), (1, (4, 2))):
        network = build(
            "strong-baseline", classes=2, pretrained=False, backbone=name, last_stride=stride, freeze_batch_norm=frozen
        )
        maps = network.eval().backbone.convolutions(IMAGES[:1])
        assert maps.shape == (1, network.backbone.dimensions, *shape)


@pytest.mark.parametrize(
    ("name", "options", "training", "message"),
    [
        ("strong-baseline", {"triplet_weight": 1.0}, {"sampling": "single"}, "several images of a person: balanced"),
        ("siamese", {}, {"sampling": "balanced"}, "pairs: drawn or counted, got balanced"),
    ],
)
def test_what_a_network_cannot_learn_with(name, options, training, message):
    with pytest.raises(ValueError, match=message):
        NETWORKS[name].check_training(training, options)


def test_the_last_stride_of_others_backbones_is_not_known():
    values = {"backbone": "torchvision:resnet18", "weights": "some.pth"}
    with pytest.raises(ValueError, match=r"can be 1 for mobilenet-v2, resnet50 only, not for torchvision:resnet18"):
        parameters.options(NETWORKS["strong-baseline"], values, {"classes", "pretrained"})


@pytest.mark.parametrize(
    ("options", "possible"),
    [
        ({"freeze_batch_norm": True}, False),
        ({"freeze_batch_norm": True, "unit_length": True}, True),
        ({"freeze_batch_norm": True, "triplet_weight": 0.0}, True),
        ({"freeze_batch_norm": False}, True),
    ],
)
def test_triplets_that_make_all_features_zero_are_refused(options, possible):
    refused = pytest.raises(ValueError, match=r"(?s)unit_length.*has to be true where freeze_batch_norm is")
    with nullcontext() if possible else refused:
        parameters.options(NETWORKS["strong-baseline"], options, {"classes", "pretrained"})


def test_smoothing_spreads_the_label_of_the_images_that_have_it():
    network = build("ide", pretrained=False, classes=5).double().eval()
    smoothing = torch.tensor([0.0, 0.1, 1.0, 0.3], dtype=torch.float64)
    scores = network.classifier(network.embed(IMAGES.double()))
    loss = network.loss(IMAGES.double(), LABELS, smoothing)
    for image in range(4):
        expected = nn.functional.cross_entropy(
            scores[image : image + 1], LABELS[image : image + 1], label_smoothing=float(smoothing[image])
        )
        torch.testing.assert_close(loss[image], expected)
    torch.testing.assert_close(network.loss(IMAGES.double(), LABELS)[0], loss[0])


def test_crops_are_random_in_training_and_central_otherwise():
    images = torch.arange(8 * 6, dtype=torch.float32).view(1, 1, 8, 6).repeat(200, 3, 1, 1)
    centre = fit(images, (8, 6), (4, 4), training=False)
    assert torch.equal(centre, images[:, :, 2:6, 1:5])
    torch.manual_seed(0)
    corners = fit(images, (8, 6), (4, 4), training=True)[:, 0, 0, 0].unique()
    assert torch.equal(corners, images[0, 0, :5, :3].flatten()), "every place, and none outside"
    assert fit(images, (16, 12), None, training=True).shape == (200, 3, 16, 12)


def test_a_crop_larger_than_the_image():
    with pytest.raises(InputError, match=r"crop_size \(96, 32\) is larger than input_size \(64, 32\)"):
        build("ide", pretrained=False, crop_size=(96, 32))
