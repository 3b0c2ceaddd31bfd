"""Bringing images to a network's input size."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from reid.common.errors import InputError
from reid.common.parameters import Size


def check_crop(input_size: Size, crop_size: Size | None) -> None:
    """Raise InputError where crops of `crop_size` do not fit into images of `input_size`, both (H, W)."""
    if crop_size is not None and (crop_size[0] > input_size[0] or crop_size[1] > input_size[1]):
        raise InputError(f"crop_size {crop_size} is larger than input_size {input_size}: it is cut out of that")


def fit(images: Tensor, input_size: Size, crop_size: Size | None, training: bool) -> Tensor:
    """Resize images (B, C, H, W) to `input_size` (H, W), stretched where needed; then crop them to `crop_size` (H, W).

    The crop is a random one for each image in training, else the central one; without `crop_size` nothing is cropped.

    Example:
        >>> fit(torch.zeros(2, 3, 128, 64), (96, 48), (90, 40), training=True).shape
        torch.Size([2, 3, 90, 40])
    """
    if images.shape[2:] != torch.Size(input_size):
        images = F.interpolate(images, list(input_size), mode="bilinear", antialias=True)
    if crop_size is None:
        return images
    height, width = crop_size
    spare = torch.tensor([input_size[0] - height, input_size[1] - width])
    corners = (torch.rand(len(images), 2) * (spare + 1)).long() if training else (spare // 2).expand(len(images), 2)
    return torch.stack(
        [image[:, y : y + height, x : x + width] for image, (y, x) in zip(images, corners.tolist(), strict=True)]
    )
