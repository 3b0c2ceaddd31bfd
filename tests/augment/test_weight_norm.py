"""Weight normalisation and its initialisation by data, filter by filter."""

import numpy as np
import torch
from scipy.signal import correlate
from torch import nn

from augment.networks.weight_norm import NormedConvolution, initialise_by_data


def slow(layer, images):
    """A correlation for each filter, whose kernel has the length of its gain."""
    padded = np.pad(images, ((0, 0), (0, 0), (layer.padding,) * 2, (layer.padding,) * 2))
    found = []
    for direction, gain, bias in zip(layer.direction, layer.gain, layer.bias, strict=True):
        values = direction.detach().numpy().astype(np.float64)
        kernel = values * gain.item() / np.sqrt((values**2).sum())
        out = [correlate(image, kernel, "valid", "direct")[0] + bias.item() for image in padded]
        found.append(np.stack(out)[:, :: layer.stride, :: layer.stride])
    return np.stack(found, 1)


def test_a_convolution_filter_by_filter():
    torch.manual_seed(0)
    for side, stride in ((3, 1), (3, 2), (1, 1)):
        layer = NormedConvolution(3, 5, side, stride)
        nn.init.normal_(layer.gain)
        nn.init.normal_(layer.bias)
        images = torch.randn(2, 3, 8, 6)
        np.testing.assert_allclose(layer(images).detach(), slow(layer, images.numpy()), atol=1e-5)


def test_data_give_each_layer_mean_0_and_variance_1():
    torch.manual_seed(0)
    network = nn.Sequential(NormedConvolution(3, 7), nn.ELU(), NormedConvolution(7, 4, 3, 2), nn.ELU())
    images = 5 * torch.randn(4, 3, 6, 6) + 2
    outputs = []
    for layer in (network[0], network[2]):
        layer.register_forward_hook(lambda _, __, output: outputs.append(output))
    expected = []
    x = images.numpy()
    for layer in (network[0], network[2]):  # gain and bias by the moments of what gain 1 and bias 0 give
        plain = slow(layer, x)
        mean, deviation = plain.mean((0, 2, 3)), plain.std((0, 2, 3))
        expected.append((1 / deviation, -mean / deviation))
        x = (plain - mean[:, None, None]) / deviation[:, None, None]
        x = np.where(x > 0, x, np.expm1(x))
    directions = [layer.direction.clone() for layer in (network[0], network[2])]
    initialise_by_data(network, lambda: network(images))
    for layer, direction, (gain, bias), output in zip(
        (network[0], network[2]), directions, expected, outputs, strict=True
    ):
        np.testing.assert_allclose(layer.gain.detach(), gain, rtol=1e-4)
        np.testing.assert_allclose(layer.bias.detach(), bias, rtol=1e-4, atol=1e-5)
        assert torch.equal(layer.direction, direction)
        torch.testing.assert_close(output.mean((0, 2, 3)), torch.zeros(output.shape[1]), atol=1e-5, rtol=0)
        torch.testing.assert_close(output.var((0, 2, 3), correction=0), torch.ones(output.shape[1]), atol=1e-4, rtol=0)
        assert layer.gain.requires_grad
    gain = network[0].gain.clone()
    network(2 * images)
    assert torch.equal(network[0].gain, gain), "other data change nothing any more"
