"""Random erasing of training images."""

from __future__ import annotations

import torch
from torch import Tensor

from reid.networks.foreign import MEAN


def erased(images: Tensor, probability: float) -> Tensor:
    """Images in each of which, with a probability, a random rectangle has ImageNet's mean colour instead.

    Random erasing (Zhong et al., AAAI 2020) as torchvision has it: 2 to 40 % of the image, 0.3 to 3.3 times as high as
    wide, with the logarithm of that drawn uniformly (as published the ratio itself, which makes more upright ones); an
    image stays whole where ten draws do not fit. Where a rectangle is, torch's global random stream says.

    Args:
        images: (B, 3, H, W) in [-1, 1].
        probability: 0..1.
    """
    if probability == 0:
        return images
    from torchvision.transforms import RandomErasing

    erase = RandomErasing(probability, (0.02, 0.4), (0.3, 3.3), value=[2 * value - 1 for value in MEAN])
    return torch.stack([erase(image) for image in images])
