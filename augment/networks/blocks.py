"""Building blocks of the U-Net generators and the discriminator (Sec. 4.3), as in the released code or in the text.

As released, blocks begin with their activation, and skip connections carry what comes before it. In the text, blocks
end with a ReLU, and skip connections carry its output; another ReLU at the start of the next block changes nothing.
"""

from __future__ import annotations

import itertools
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from augment.conventions import Convention
from augment.data.batch import Batch
from augment.geometry import heatmaps
from reid.common.errors import InputError

Start = Literal["glorot", "fan_in"]
SOURCE_CHANNELS = 3 + 18  # an image and the heat maps of its pose
POSE_CHANNELS = 18
BACKGROUND_CHANNELS = 3
WARPED_LEVELS = (
    4  # finest skip connections, of strides 1, 2, 4 and 8: as released, only these are deformed; in the text all are
)


def encoder_filters(size: tuple[int, int], width: float, convention: Convention = "released") -> tuple[int, ...]:
    """Filters of the encoder's levels, fine to coarse, times `width`; above 128 pixels there is one level more.

    Raises:
        InputError: a side of `size` (H, W) cannot be halved that often, or leaves a single pixel, which the text's
            normalisation would always make zero.
    """
    filters = (64, 128, 256, 512, 512, 512) + ((512,) if max(size) > 128 else ())
    stride = 2 ** (len(filters) - 1)
    if size[0] % stride or size[1] % stride:
        raise InputError(
            f"image_size: expected height and width that are multiples of {stride}, since the encoder halves them "
            f"{len(filters) - 1} times, got {size[0]}x{size[1]}: set image_size to such multiples"
        )
    if convention == "paper" and size == (stride, stride):
        raise InputError(
            f"image_size: expected more than {stride}x{stride} with convention: paper, which normalises each channel "
            f"over the pixels of the coarsest level, and there is one: set a larger image_size, or convention: released"
        )
    return scaled(filters, width)


def decoder_filters(size: tuple[int, int], width: float) -> tuple[int, ...]:
    """Filters of the decoder's up-convolutions, coarse to fine, for images of `size` (H, W)."""
    return scaled((512, 512, 512) + ((512,) if max(size) > 128 else ()) + (256, 128), width)


def scaled(filters: tuple[int, ...], width: float) -> tuple[int, ...]:
    """Numbers of filters times `width`, each at least 1."""
    return tuple(max(1, round(count * width)) for count in filters)


def pose_maps(batch: Batch, size: tuple[int, int], convention: Convention) -> tuple[Tensor, Tensor]:
    """Heat maps (B, 18, H, W) of the pose of the single source and of the target's; those of the batch, if it has any.

    Args:
        batch: with one source a sample.
        size: (H, W) of the images.
        convention: of the heat maps.
    """
    if batch.maps is not None:
        return batch.maps
    _, pose = batch.single_source()
    return heatmaps(pose, size, convention=convention), heatmaps(batch.target_pose, size, convention=convention)


class SampleNorm(nn.Module):
    """Normalisation over all channels and positions of each sample, with one gain and one bias for all channels.

    The released code calls it instance normalisation, but leaves the axis unset, so that its statistics are those of
    all channels together, not of each channel as in the text.
    """

    eps = 1e-6

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        channels = x.shape[1]
        return F.group_norm(x, 1, self.gain.expand(channels), self.bias.expand(channels), eps=self.eps)


def normalisation(channels: int, convention: Convention) -> nn.Module:
    """The normalisation layer: `SampleNorm` as released, instance normalisation (of each channel) in the text."""
    return nn.InstanceNorm2d(channels, affine=True) if convention == "paper" else SampleNorm()


class Down(nn.Module):
    """Leaky ReLU (ReLU in the text), 4x4 convolution of stride 2 without bias, normalisation."""

    def __init__(self, inputs: int, outputs: int, convention: Convention, norm: bool = True):
        super().__init__()
        self.slope = 0.0 if convention == "paper" else 0.2
        self.convolution = nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False)
        self.norm = normalisation(outputs, convention) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H/2, W/2)."""
        return self.norm(self.convolution(F.leaky_relu(x, self.slope)))


class Up(nn.Module):
    """ReLU, 4x4 transposed convolution of stride 2 without bias, normalisation, dropout."""

    def __init__(self, inputs: int, outputs: int, convention: Convention, dropout: float):
        super().__init__()
        self.convolution = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)
        self.norm = normalisation(outputs, convention)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, 2H, 2W)."""
        x = self.norm(self.convolution(F.relu(x)))
        return F.dropout(x, self.dropout, self.training) if self.dropout else x


class Encoder(nn.Module):
    """A 3x3 convolution, then a `Down` block for each further level.

    As released, the first and the last of these layers have no normalisation; in the text all have it, and a ReLU.
    """

    def __init__(self, inputs: int, filters: tuple[int, ...], convention: Convention):
        super().__init__()
        self.text = convention == "paper"
        self.first = nn.Conv2d(inputs, filters[0], 3, 1, 1)
        self.first_norm = normalisation(filters[0], convention) if self.text else nn.Identity()
        self.downs = nn.ModuleList(
            Down(fine, coarse, convention, norm=self.text or level < len(filters) - 2)
            for level, (fine, coarse) in enumerate(itertools.pairwise(filters))
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, inputs, H, W) to the outputs of all levels, fine to coarse.

        As released they are those before the activation of the next block, in the text those after their own.
        """
        levels = [self.first_norm(self.first(x))]
        for down in self.downs:
            levels.append(down(levels[-1]))
        return [F.relu(level) for level in levels] if self.text else levels


class Decoder(nn.Module):
    """`Up` blocks, each on the previous output and a skip connection, then a 3x3 convolution and tanh.

    Dropout in the first three blocks is the generator's only noise z; it is off when images are generated (Sec. 4.3).

    Args:
        skips: channels of the skip connections, fine to coarse.
        filters: of the up-convolutions, coarse to fine.
        convention: which normalisation.
    """

    def __init__(self, skips: tuple[int, ...], filters: tuple[int, ...], convention: Convention):
        super().__init__()
        previous = (0, *filters)
        self.ups = nn.ModuleList(
            Up(skip + previous[level], filters[level], convention, dropout=0.5 if level < 3 else 0.0)
            for level, skip in enumerate(reversed(skips[1:]))
        )
        self.last = nn.Conv2d(skips[0] + filters[-1], 3, 3, 1, 1)

    def forward(self, skips: list[Tensor]) -> Tensor:
        """Skip connections, fine to coarse, the coarsest being the bottleneck, to an image (B, 3, H, W) in [-1, 1]."""
        x = self.ups[0](skips[-1])
        for up, skip in zip(self.ups[1:], reversed(skips[1:-1]), strict=True):
            x = up(torch.cat([x, skip], 1))
        return torch.tanh(self.last(F.relu(torch.cat([x, skips[0]], 1))).float())


def initialise(network: nn.Module, start: Start = "glorot") -> None:
    """Draw the initial weights of convolutions and fully connected layers.

    Args:
        network: whose layers are initialised.
        start: `glorot`, uniform with zero biases: Keras's defaults, with which the released code was trained.
            `fan_in`, torch's defaults: uniform within +-1 / sqrt(n), biases too, where n is the number of weights that
            an output depends on; of transposed convolutions that of an input's weights, outputs times kernel.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if start == "fan_in":
                module.reset_parameters()
                continue
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def channels_last(network: nn.Module) -> None:
    """Channels-last weights, which convolutions and the warp's row gathers run fastest in.

    Transposed convolutions keep theirs contiguous: theirs would be laid out anew in each step.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)
