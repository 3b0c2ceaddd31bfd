import h5py
import numpy as np
import pytest
import torch
from scipy.signal import correlate
from torch import nn

from augment.networks.features import FEATURES, VGG
from reid.files import weights


def slow_vgg(images, layers):
    """Correlation by correlation; layers are (group of the file, whether pixels are pooled before)."""
    x = (images.numpy()[::-1] + 1) * 127.5 - np.array([104.007, 116.669, 122.679]).reshape(3, 1, 1)
    with h5py.File(weights.locate("vgg16-hed")) as file:
        for group, pooled in layers:
            if pooled:
                x = np.maximum.reduce([x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)])
            kernel, bias = (file[f"{group}/vars/{i}"][()] for i in (0, 1))  # (3, 3, in, out), (out,)
            padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
            out = [correlate(padded, kernel[..., k].transpose(2, 0, 1), "valid")[0] + bias[k] for k in range(len(bias))]
            x = np.maximum(np.stack(out), 0)
    return x


DEPTH = {
    "conv1_1": [("block1/layers/conv2d", False)],
    "conv1_2": [("block1/layers/conv2d", False), ("block1/layers/conv2d_1", False)],
}
DEPTH["conv2_1"] = [*DEPTH["conv1_2"], ("block2/layers/conv2d", True)]
DEPTH["conv3_1"] = [*DEPTH["conv2_1"], ("block2/layers/conv2d_1", False), ("block3/layers/conv2d", True)]


@pytest.mark.parametrize("layer", DEPTH)
def test_layers_against_plain_correlation(layer):
    images = torch.rand(1, 3, 12, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    expected = slow_vgg(images[0], DEPTH[layer])
    np.testing.assert_allclose(FEATURES["vgg16-hed"](layer)(images)[0], expected, rtol=1e-3, atol=2e-2)


def test_features_are_differentiable_in_the_images_only():
    network = FEATURES["vgg16-hed"]("conv1_2")
    images = torch.zeros(1, 3, 8, 8, requires_grad=True)
    network(images).sum().backward()
    assert images.grad.abs().sum() > 0
    assert list(network.parameters()) == []


def test_pixels_are_the_images():
    images = torch.rand(1, 3, 4, 4)
    assert torch.equal(FEATURES["pixels"]("conv1_2")(images), images)


def test_scale_and_deviation():
    convolutions = {
        "conv1_1": (torch.ones(4, 3, 3, 3), torch.zeros(4)),
        "conv1_2": (torch.ones(4, 4, 3, 3), torch.zeros(4)),
    }
    plain, scaled = VGG(convolutions, (0, 0, 0)), VGG(convolutions, (0, 0, 0), (10, 10, 10), scale=10)
    images = torch.rand(1, 3, 5, 5)
    torch.testing.assert_close(plain(images), scaled(images))


def test_missing_weights_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(weights.MissingWeights, match="vgg19-dcbb9e9d.pth was found neither in"):
        FEATURES["vgg19"]("conv1_2")


def test_several_layers_in_one_pass():
    """Each is what a network that ends with it gives; the deepest is that of the slow version."""
    images = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    layers = ["conv1_2", "conv2_1", "conv3_1"]
    found = FEATURES["vgg16-hed"]("conv3_1").outputs(images, layers)
    assert [tuple(each.shape) for each in found] == [(1, 64, 16, 16), (1, 128, 8, 8), (1, 256, 4, 4)]
    for layer, features in zip(layers, found, strict=True):
        torch.testing.assert_close(features, FEATURES["vgg16-hed"](layer)(images))
    np.testing.assert_allclose(found[-1][0], slow_vgg(images[0], DEPTH["conv3_1"]), rtol=1e-3, atol=2e-2)


def test_the_deepest_layers_are_those_of_the_file():
    """conv5_2 from conv3_1: two more convolutions of block 3, three of block 4 and two of block 5 lie between."""
    images = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    x, found = FEATURES["vgg16-hed"]("conv5_2").outputs(images, ["conv3_1", "conv5_2"])
    with h5py.File(weights.locate("vgg16-hed")) as file:
        for block, names in ((3, "12"), (4, "012"), (5, "01")):
            if block > 3:
                x = nn.functional.max_pool2d(x, 2)
            for name in names:
                values = file[f"block{block}/layers/conv2d{'' if name == '0' else '_' + name}/vars"]
                kernel, bias = (torch.from_numpy(values[part][()]) for part in ("0", "1"))
                x = nn.functional.conv2d(x, kernel.permute(3, 2, 0, 1), bias, padding=1).relu()
    torch.testing.assert_close(found, x, rtol=1e-3, atol=1e-2)


def test_vgg19s_layers_are_found_in_torchvisions_file(monkeypatch, tmp_path):
    """A stand-in, whose i-th convolution has i + 1 for biases; in the file each ReLU and each pooling counts too."""
    order = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]
    filters = [3, 64, 64, 128, 128, *[256] * 4, *[512] * 8]
    state = {}
    for index, key in enumerate(order):
        state[f"features.{key}.weight"] = torch.zeros(filters[index + 1], filters[index], 3, 3)
        state[f"features.{key}.bias"] = torch.full((filters[index + 1],), index + 1.0)
    torch.save(state, tmp_path / "file.pth")
    monkeypatch.setattr("reid.files.weights.locate", lambda name: tmp_path / "file.pth")
    network = FEATURES["vgg19"]("conv5_2")
    found = network.outputs(torch.zeros(1, 3, 16, 16), ["conv1_2", "conv2_2", "conv3_2", "conv4_2", "conv5_2"])
    scale = (0.229 + 0.224 + 0.225) * 255 / 3
    assert [each.max().item() / scale for each in found] == pytest.approx([2, 4, 6, 10, 14])
