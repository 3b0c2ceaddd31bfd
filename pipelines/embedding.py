"""Features of the images of a sample table, however many there are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from reid.evaluation.features import extract, normalise
from reid.files.images import load
from reid.networks import IDE

BLOCK = 4096  # images that are held in memory at a time


def embedded(
    network: IDE, table: pd.DataFrame, size: tuple[int, int], mirror: bool, device: torch.device, title: str
) -> NDArray[np.float32]:
    """Features (N, D) of N images, of length 1.

    Args:
        network: Re-ID network on the device.
        table: sample table of the images.
        size: (H, W) of the images that the network was trained with.
        mirror: whether it embeds each image together with its mirror image.
        device: to work on.
        title: of the progress bars, one for each BLOCK of images.
    """
    blocks = [table[start : start + BLOCK] for start in range(0, len(table), BLOCK)]
    pictures = (load(block["archive"], block["image"], size) for block in blocks)
    found = [extract(network, part.to(device), title=title, mirror=mirror) for part in pictures]
    return normalise(np.concatenate(found))
