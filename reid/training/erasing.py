"""Random erasing of training images."""

from __future__ import annotations

import torch
from torch import Tensor

from reid.networks.foreign import MEAN


def erased(images: Tensor, probability: float) -> Tensor:
    """Images in each of which, with a probability, a random rectangle has ImageNet's mean colour instead.

    Random erasing (Zhong et al., AAAI 2020) with the sizes of the strong baseline: 2 to 40 % of the image, 0.3 to 3.3
    times as high as wide. Where it is, torch's global random stream says.

    Args:
        images: (B, 3, H, W) in [-1, 1].
        probability: 0..1.
    """
    if probability == 0:
        return images
    from torchvision.transforms import RandomErasing

    erase = RandomErasing(probability, (0.02, 0.4), (0.3, 3.3), value=[2 * value - 1 for value in MEAN])
    return torch.stack([erase(image) for image in images])
