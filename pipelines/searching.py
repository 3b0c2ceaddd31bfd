"""Looking for the people in generated images: a Re-ID network that was trained on real ones searches the gallery."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipelines import layout
from pipelines.drawn import Drawn
from pipelines.scoring import Searcher
from reid.evaluation.features import extract, normalise
from reid.evaluation.identity import match
from reid.files import samples
from reid.files.images import load
from reid.networks import storage

BATCH = 16  # images whose features are extracted at a time; larger ones are slower on a CPU


class Gallery(NamedTuple):
    """A gallery as a Re-ID network sees it."""

    table: pd.DataFrame  # sample table of G images, junk left out
    pictures: Tensor  # (G, 3, H, W) uint8
    of_pictures: NDArray[np.float32]  # (G, D) features
    features: Callable[[Tensor, str], NDArray[np.float32]]  # of further images, (P, 3, H, W) uint8; and a title


class Search(NamedTuple):
    """What it takes to search the gallery for the people in P images."""

    shown: pd.DataFrame  # sample table, P rows: the person of each image, and the camera that it stands for
    gallery: Gallery
    of_images: NDArray[np.float32]  # (P, D) features
    left_out: NDArray[np.int64]  # (P, K) indices of the gallery images that each image comes from


def read_gallery(searcher: Searcher, device: torch.device) -> Gallery:
    """Load a Re-ID network onto a device, and extract its features of the gallery, junk left out."""
    network, config = storage.load(searcher.model, device)
    table = samples.read(layout.samples("gallery"))
    table = table[table["identity"] != samples.JUNK].reset_index(drop=True)
    pictures = load(table["archive"], table["image"], tuple(config["image_size"]))

    def features(images: Tensor, title: str) -> NDArray[np.float32]:
        return normalise(extract(network, images.to(device), BATCH, title, searcher.mirror))

    return Gallery(table, pictures, features(pictures, "features of the gallery"), features)


def search_gallery(gallery: Gallery, drawn: Drawn) -> Search:
    """Features of images, and what it takes to search a gallery for their people.

    Real images have their target's camera, generated ones their source's, whose pixels they take over. No image is to
    find the sources and the target that it comes from.
    """
    row_of = pd.Series(np.arange(len(gallery.table)), gallery.table["image"])
    return Search(
        shown=drawn.table.iloc[drawn.pairs[:, int(drawn.real)].numpy()],
        gallery=gallery,
        of_images=gallery.features(drawn.images, "features of images"),
        left_out=row_of.loc[drawn.table["image"]].to_numpy()[drawn.made_from.numpy()],
    )


def scores_of_identity(search: Search) -> dict[str, float]:
    """Does the Re-ID network find the person by the images?

    Returns:
        identity_rank1 and identity_mAP, per cent, of the images whose person is in the rest of the gallery in another
        camera, and their number, identity_images; that alone where there are none.
    """
    shown, gallery = search.shown, search.gallery.table
    matches = match(
        search.of_images,
        shown["identity"].to_numpy(),
        shown["camera"].to_numpy(),
        search.gallery.of_pictures,
        gallery["identity"].to_numpy(),
        gallery["camera"].to_numpy(),
        left_out=search.left_out,
    )
    there = matches.first_rank > 0
    if not there.any():
        return {"identity_images": 0}
    return {
        "identity_rank1": 100 * float((matches.first_rank[there] == 1).mean()),
        "identity_mAP": 100 * float(matches.average_precision[there].mean()),
        "identity_images": int(there.sum()),
    }
