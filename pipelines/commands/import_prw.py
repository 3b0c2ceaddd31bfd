"""Cut people and backgrounds out of the frames of PRW, as a data set in Market-1501's layout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from augment.data.backgrounds import BOX, choose_frames
from pipelines.console import stage
from reid.common.atomic import refuse_existing
from reid.common.errors import InputError
from reid.common.progress import progress
from reid.datasets import prw
from reid.files.images import Archive, background_name, encode_jpeg, write_zip


def run(path: Path, out: Path, seed: int, size: tuple[int, int]) -> None:
    """Write PRW's people in Market-1501's layout, with `backgrounds/` of the training and test images, to a zip.

    An image's background is the same place in another frame of its video, in which nobody stands there. Images without
    such a frame are left out.

    Args:
        path: PRW as published, a folder or a zip.
        out: zip to write.
        seed: of the choice among the frames.
        size: (H, W) of the images and backgrounds.

    Raises:
        InputError: `out` exists or does not end in .zip; a file of PRW is missing or cannot be read; no image has a
            background.
    """
    if out.suffix != ".zip":
        raise InputError(f"expected --out to end in .zip, got {out}")
    refuse_existing(out)
    with stage("import-prw", f"cut people and backgrounds out of the frames of {path}") as say:
        published = prw.read_published(path)
        images, left_out = prw.crops(published)
        images["background"] = choose_frames(images, published.boxes, published.frames, seed)
        alone = images["background"].isna()
        left_out["people in whose place somebody is in every frame of the video"] = int(alone.sum())
        images = images[~alone]
        if images.empty:
            raise InputError(f"{path}: no image can be used; left out: {left_out}")
        write_zip(out, _cut(path, published, images, size))
        for what, count in sorted(Counter(finding.what for finding in published.findings).items()):
            first = next(finding.where for finding in published.findings if finding.what == what)
            say(f"{count:,} x {what}, e.g. {first}")
        for split, of_split in images.groupby("split"):
            people = of_split["identity"].nunique()
            say(f"{split}: {len(of_split):,} images with backgrounds of {people:,} people")
        say(f"{len(published.queries):,} queries")
        say("left out: " + ", ".join(f"{count:,} {reason}" for reason, count in left_out.items()))
        say(str(out))


def _cut(
    path: Path, published: prw.Published, images: pd.DataFrame, size: tuple[int, int]
) -> Iterator[tuple[str, bytes]]:
    """Yield (name, JPEG) of all images, queries and backgrounds; each frame is read once."""
    backgrounds = images.assign(frame=images["background"], image=images["image"].map(background_name))
    columns = ["frame", "image", *BOX]
    cuts = pd.concat([images[columns], published.queries[columns], backgrounds[columns]])
    with Archive(path) as archive:
        groups = cuts.groupby("frame")
        for frame, group in progress(groups, "cut frames", "frame", groups.ngroups):
            pixels = archive.image(f"{published.root}frames/{frame}.jpg")
            for name, (left, top, right, bottom) in zip(group["image"], group[BOX].to_numpy(), strict=True):
                if right > pixels.shape[1] or bottom > pixels.shape[0]:
                    raise InputError(f"{path}: {frame}.jpg is smaller than its video's first frame; unpack PRW again")
                yield name, encode_jpeg(_resized(pixels[top:bottom, left:right], size))


def _resized(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(pixels).resize((size[1], size[0]), Image.Resampling.BICUBIC))
