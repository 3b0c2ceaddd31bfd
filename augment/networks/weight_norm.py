"""Weight normalisation with its initialisation by data (Salimans and Kingma, 2016), as VUNet has it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

DEVIATION = 0.05  # of the initial directions
EPSILON = 1e-10  # added to variances


class NormedConvolution(nn.Module):
    """A convolution, padded with zeros, whose kernel of each filter is a direction of length 1 times a gain.

    Gains are 1 and biases 0 until `initialise_by_data` has set them.

    Args:
        inputs: channels.
        outputs: channels.
        side: of the kernel, odd.
        stride: of the convolution.
    """

    def __init__(self, inputs: int, outputs: int, side: int = 3, stride: int = 1):
        super().__init__()
        direction = DEVIATION * torch.randn(outputs, inputs, side, side)
        self.direction = nn.Parameter(direction.contiguous(memory_format=torch.channels_last))
        self.gain = nn.Parameter(torch.ones(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.padding, self.stride = side // 2, stride
        self.by_data = False  # whether the next input decides gain and bias

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        if self.by_data:
            plain = F.conv2d(x, self._kernel(torch.ones_like(self.gain)), None, self.stride, self.padding)
            variance, mean = torch.var_mean(plain, (0, 2, 3), correction=0)
            self.gain.copy_((variance + EPSILON).rsqrt())
            self.bias.copy_(-mean * self.gain)
        return F.conv2d(x, self._kernel(self.gain), self.bias, self.stride, self.padding)

    def _kernel(self, gain: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(self.direction, dim=(1, 2, 3), keepdim=True)
        return self.direction * (gain[:, None, None, None] / length)


@torch.no_grad()
def initialise_by_data(network: nn.Module, run: Callable[[], object]) -> None:
    """Set gains and biases so that on this data each filter's output has mean 0 and variance 1.

    Args:
        network: whose normed convolutions are initialised, each as soon as it is reached.
        run: runs the network once, on several batches of data at once.
    """
    layers = [module for module in network.modules() if isinstance(module, NormedConvolution)]
    for layer in layers:
        layer.by_data = True
    run()
    for layer in layers:
        layer.by_data = False
