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


def write(real: pd.DataFrame, rows: pd.DataFrame, folder: Path, made: dict[str, Any], say: Say) -> None:
    """Write `train.parquet` (real and new images), `provenance.json` and `sheet.png` beside `images.zip`.

    Args:
        real: sample table of the real training images.
        rows: that of the new ones, which are in `images.zip` of the folder.
        folder: of the set.
        made: how the new images were made: `row`, `alpha`, `seed`, and what else there is to know.
        say: what the stage says at its end.
    """
    samples.write(pd.concat([real, rows], ignore_index=True), folder / "train.parquet")
    save_json(made, folder / layout.PROVENANCE)
    _draw(real, rows, folder, made["row"])
    say(f"{len(rows):,} images of {rows['identity'].nunique():,} people")
    say(str(folder / "sheet.png"))


def _draw(real: pd.DataFrame, rows: pd.DataFrame, folder: Path, name: str) -> None:
    """A sheet of some new images, below what they were made from."""
    chosen = rows.iloc[np.linspace(0, len(rows) - 1, SHOWN).astype(int)]
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
