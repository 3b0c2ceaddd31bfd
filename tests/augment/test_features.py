import h5py
import numpy as np
import pytest
import torch
from scipy.signal import correlate

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
    convolutions = [(torch.ones(4, 3, 3, 3), torch.zeros(4)), (torch.ones(4, 4, 3, 3), torch.zeros(4))]
    plain, scaled = VGG(convolutions, (0, 0, 0)), VGG(convolutions, (0, 0, 0), (10, 10, 10), scale=10)
    images = torch.rand(1, 3, 5, 5)
    torch.testing.assert_close(plain(images), scaled(images))


def test_missing_weights_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(weights.MissingWeights, match="vgg19-dcbb9e9d.pth was found neither in"):
        FEATURES["vgg19"]("conv1_2")
