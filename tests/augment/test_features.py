import h5py
import numpy as np
import pytest
import torch
from scipy.signal import correlate

from augment.features import FEATURES, Conv12
from reid import weights


def test_conv12_against_plain_correlation():
    network = FEATURES["vgg16-hed"]()
    images = torch.rand(1, 3, 12, 10, generator=torch.Generator().manual_seed(0)) * 2 - 1
    x = (images[0].numpy()[::-1] + 1) * 127.5 - np.array([104.007, 116.669, 122.679]).reshape(3, 1, 1)
    with h5py.File(weights.locate("vgg16-hed")) as file:
        for name in ("conv2d", "conv2d_1"):
            kernel, bias = (file[f"block1/layers/{name}/vars/{i}"][()] for i in (0, 1))  # (3, 3, in, out), (out,)
            padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
            out = [correlate(padded, kernel[..., k].transpose(2, 0, 1), "valid")[0] + bias[k] for k in range(64)]
            x = np.maximum(np.stack(out), 0)
    np.testing.assert_allclose(network(images)[0], x, rtol=1e-3, atol=1e-2)


def test_features_are_differentiable_in_the_images_only():
    network = FEATURES["vgg16-hed"]()
    images = torch.zeros(1, 3, 8, 8, requires_grad=True)
    network(images).sum().backward()
    assert images.grad.abs().sum() > 0
    assert list(network.parameters()) == []


def test_pixels_are_the_images():
    images = torch.rand(1, 3, 4, 4)
    assert torch.equal(FEATURES["pixels"]()(images), images)


def test_scale_and_deviation():
    convolutions = [(torch.ones(4, 3, 3, 3), torch.zeros(4)), (torch.ones(4, 4, 3, 3), torch.zeros(4))]
    plain, scaled = Conv12(convolutions, (0, 0, 0)), Conv12(convolutions, (0, 0, 0), (10, 10, 10), scale=10)
    images = torch.rand(1, 3, 5, 5)
    torch.testing.assert_close(plain(images), scaled(images))


def test_missing_weights_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(weights.MissingWeights, match="vgg19-dcbb9e9d.pth was found neither in"):
        FEATURES["vgg19"]()
