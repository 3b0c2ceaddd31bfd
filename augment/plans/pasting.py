"""Real people before the backgrounds of other training images, to compare generators with: what new backgrounds add.

Generators that draw a person before the target's background add both a drawn person and a street of another camera.
Here the person is the source's own pixels, cut out by the mask that comes with rendered data.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reid.common.errors import InputError
from reid.files.images import Archive, ImageError, background_name, encode_jpeg, write_zip
from reid.randomness.seeds import seed_for


def paste(new: pd.DataFrame, real: pd.DataFrame, seed: int, archive: Path) -> None:
    """Make the images of a plan, into a zip.

    The background is that of a training image of anybody, as the target pose of `augment.plans.redraw.redraw` is.

    Args:
        new: sample table of the new images, each of its source's person (`augment.plans.rendering.views`).
        real: sample table of the real training images.
        seed: of the choice of backgrounds.
        archive: zip to write.

    Raises:
        InputError: the data set has no masks or no backgrounds, or those of an image do not have its size.
    """
    with ExitStack() as stack:
        opened = {path: stack.enter_context(Archive(path)) for path in real["archive"].unique()}
        archive_of = real.set_index("image")["archive"]
        names = archive_of.index.to_numpy()

        def images() -> Iterator[tuple[str, bytes]]:
            for image, source, draw in new[["image", "source", "draw"]].itertuples(index=False):
                random = np.random.default_rng(seed_for(seed, "background", source, draw))
                behind = names[random.integers(len(names))]
                parts = [
                    _read(opened[archive_of[of]], name)
                    for of, name in ((source, source), (source, mask_name(source)), (behind, background_name(behind)))
                ]
                if len({part.shape for part in parts}) > 1:
                    sizes = ", ".join(f"{part.shape[0]}x{part.shape[1]}" for part in parts)
                    raise InputError(f"{source}, its mask and the background of {behind} differ in size: {sizes}")
                person, mask, background = parts
                yield image, encode_jpeg(np.where(mask > 127, person, background))

        write_zip(archive, images())


def mask_name(image: str) -> str:
    """Name of an image's mask, white where its person is seen.

    Example:
        >>> mask_name("bounding_box_train/0002_c1s1_000451_03.jpg")
        'masks/0002_c1s1_000451_03.png'
    """
    path = PurePosixPath(image)
    return (path.parent.parent / "masks" / f"{path.stem}.png").as_posix()


def _read(archive: Archive, name: str) -> NDArray[np.uint8]:
    try:
        return archive.image(name)
    except ImageError as error:
        raise InputError(
            f"{error}: rendered data sets have the masks and backgrounds that people are pasted with; take another, or "
            "`pasted` out of `renderings` in params.yaml"
        ) from error
