"""Writing the folder of an augmented training set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipelines import layout
from pipelines.console import Say
from reid.common.saved import save_json
from reid.files import samples
from reid.files.images import Archive
from reid.pictures.sheets import sheet

SHOWN = 14  # new images on the sheet


def write(real: pd.DataFrame, new: pd.DataFrame, folder: Path, provenance: dict[str, Any], say: Say) -> None:
    """Write `train.parquet` (real and new images), `provenance.json` and `sheet.png` beside `images.zip`.

    Args:
        real: sample table of the real training images.
        new: sample table of the new images, which are in `images.zip` of the folder.
        folder: of the augmented set.
        provenance: how the new images were made: `row`, `alpha`, `seed`, and what else there is to know.
        say: prints a line of the stage.
    """
    samples.write(pd.concat([real, new], ignore_index=True), folder / "train.parquet")
    save_json(provenance, folder / layout.PROVENANCE)
    _draw(real, new, folder, provenance["row"])
    say(f"{len(new):,} images of {new['identity'].nunique():,} people")
    say(str(folder / "sheet.png"))


def _draw(real: pd.DataFrame, new: pd.DataFrame, folder: Path, name: str) -> None:
    """Draw a sheet of some new images, each below the images that it was made from."""
    chosen = new.iloc[np.linspace(0, len(new) - 1, SHOWN).astype(int)]
    archive_of = real.set_index("image")["archive"]
    lines = []
    for caption, column in (("source", "source"), ("pose", "pose_of")):
        if chosen[column].isin(real["image"]).all():
            lines.append((caption, [_picture(archive_of[image], image) for image in chosen[column]]))
    lines.append(("new image", [_picture(folder / "images.zip", image) for image in chosen["image"]]))
    sheet(lines, folder / "sheet.png", title=f"{name}: images that are added to the training set")


def _picture(path: str | Path, image: str) -> np.ndarray:
    with Archive(path) as archive:
        return archive.image(image)
