"""Features of many images by a trained network."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from reid.common.progress import progress
from reid.files.images import to_float
from reid.networks import IDE


def extract(
    network: IDE, images: Tensor, batch_size: int = 64, title: str = "features", mirror: bool = False
) -> NDArray[np.float32]:
    """Embeddings (N, D) of images, not normalised; or, with `mirror`, each image's and its mirror image's together.

    Args:
        network: set to evaluation mode.
        images: (N, 3, H, W) uint8, on the device that the network works on.
        batch_size: images embedded at a time.
        title: of the progress bar.
        mirror: add the embeddings of an image and of its mirror image, both scaled to length 1.
    """
    network.eval()
    embed = partial(with_mirror_image, network) if mirror else network.embed
    with torch.inference_mode():
        batches = progress(images.split(batch_size), title, "batch")
        return torch.cat([embed(to_float(batch)).float().cpu() for batch in batches]).numpy()


def with_mirror_image(network: IDE, images: Tensor) -> Tensor:
    """The sum (B, D) of the embeddings, each of length 1, of images (B, 3, H, W) and of their mirror images."""
    return F.normalize(network.embed(images)) + F.normalize(network.embed(images.flip(3)))


def normalise(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features (N, D) scaled to length 1 each; a feature of zeros stays one.

    Example:
        >>> normalise(np.float32([[3, 4], [0, 0]])).round(1)
        array([[0.6, 0.8],
               [0. , 0. ]], dtype=float32)
    """
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
