"""Features of many images by a trained network."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reid.common.progress import progress
from reid.files.images import to_float
from reid.networks import IDE


def extract(network: IDE, images: Tensor, batch_size: int = 64, title: str = "features") -> NDArray[np.float32]:
    """Embeddings (N, D) of images (N, 3, H, W) uint8, on the device that the images are on; not normalised."""
    network.eval()
    with torch.inference_mode():
        batches = progress(images.split(batch_size), title, "batch")
        return torch.cat([network.embed(to_float(batch)).float().cpu() for batch in batches]).numpy()


def normalise(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features (N, D) scaled to length 1 each; a feature of zeros stays one.

    Example:
        >>> normalise(np.float32([[3, 4], [0, 0]])).round(1)
        array([[0.6, 0.8],
               [0. , 0. ]], dtype=float32)
    """
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
