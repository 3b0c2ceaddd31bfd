"""Backbones of other libraries (`reid.networks.libraries`) behind the interface of ours."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from reid.common.errors import InputError
from reid.networks.libraries import LIBRARIES
from reid.networks.weight_files import load_weights

MEAN = (0.485, 0.456, 0.406)  # of ImageNet, RGB in 0..1
DEVIATION = (0.229, 0.224, 0.225)
# Mean and deviation of networks whose published weights were trained with others.
STATISTICS = {"torchvision:efficientnet_v2_l": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))}

# (H, W) of networks that take images of one size only; torchvision's ViTs have theirs as `image_size`.
SIZES = {"torchvision:maxvit_t": (224, 224), "torchreid:hacnn": (160, 64), "torchreid:mudeep": (256, 128)}
TOO_SMALL = (
    "Output size is too small",
    "Kernel size can't be greater than actual input size",
)  # parts of torch's messages


class ForeignBackbone(nn.Module):
    """A network of another library without its classifier.

    What else it does in training mode is kept: dropout before the classifier (AlexNet, VGG, EfficientNet, MobileNet,
    PCB), stochastic depth. PCB's feature vector is that of its parts, concatenated, each scaled to length 1. HACNN's is
    the global and the local one, concatenated; as published, they are scaled to length 1 in evaluation mode only.

    Args:
        name: what errors call it.
        network: (B, 3, H, W) normalised images to features (B, D). In training mode it may return (anything, features),
            where features are (B, D) or a tuple of tensors to concatenate.
        size: the only (H, W) that it takes; None where it takes any.
        dimensions: D; None to measure it on an image.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str, network: nn.Module, size: tuple[int, int] | None, dimensions: int | None = None):
        super().__init__()
        self.name, self.network, self.size = name, network, size
        for buffer, values in zip(("mean", "deviation"), STATISTICS.get(name, (MEAN, DEVIATION)), strict=True):
            self.register_buffer(buffer, torch.tensor(values).view(1, 3, 1, 1))
        self.dimensions = dimensions or self._measured()

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 3, H, W), RGB in [-1, 1], to features (B, D); raises InputError for a size that it cannot take."""
        height, width = images.shape[2:]
        if self.size is not None and self.size != (height, width):
            needed = f"[{self.size[0]}, {self.size[1]}]"
            raise InputError(f"backbone {self.name} takes images of {needed} (H, W) only, these are "
                             f"[{height}, {width}]; set `input_size: {needed}`")  # fmt: skip
        normalised = ((images + 1) / 2 - self.mean) / self.deviation
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "`nn.functional.upsample`|Default grid_sample")  # of HACNN
                features = self.network(normalised.contiguous())  # torchreid reshapes by `view`
        except RuntimeError as error:
            if any(words in str(error) for words in TOO_SMALL):
                raise InputError(f"backbone {self.name}: images of [{height}, {width}] (H, W) are too small for it; "
                                 "set a larger `input_size`") from error  # fmt: skip
            raise
        if isinstance(features, tuple):
            features = features[1]
        return torch.cat(features, 1) if isinstance(features, tuple) else features

    @torch.no_grad()
    def _measured(self) -> int:
        self.eval()
        dimensions = self(torch.zeros(1, 3, *(self.size or (256, 128)))).shape[1]
        self.train()
        return int(dimensions)


def build(library: str, model: str, weights: str | None) -> ForeignBackbone:
    """The network `model` of a library, a key of `LIBRARIES`, without its classifier.

    Args:
        library: key of `LIBRARIES`.
        model: name of the network there.
        weights: file of its weights (`reid.networks.weight_files`); None for random ones.
    """
    name = f"{library}:{model}"
    network, heads, dimensions = LIBRARIES[library].make(model)
    if weights is not None:
        load_weights(network, weights, name, heads)
    side = getattr(network, "image_size", None)  # of ViTs
    return ForeignBackbone(name, network, SIZES.get(name) or (side and (side, side)), dimensions)
