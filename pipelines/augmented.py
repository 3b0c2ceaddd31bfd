"""Writing the folder of an augmented training set."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipelines import layout
from pipelines.console import Say
from reid.common import atomic
from reid.common.saved import save_json
from reid.files import samples
from reid.files.images import Archive
from reid.pictures.sheets import sheet

IMAGES, TABLE, SHEET = "images.zip", "train.parquet", "sheet.png"  # of each set
MAY_HOLD = (IMAGES, TABLE, SHEET, layout.PROVENANCE, layout.JUDGED)
SHOWN = 14  # new images on the sheet, or new people
OF_EACH = 3  # images of a new person on it


def write(
    real: pd.DataFrame,
    new: pd.DataFrame,
    made: Path,
    folder: Path,
    provenance: dict[str, Any],
    say: Say,
    *,
    real_too: bool = True,
) -> None:
    """Write `train.parquet` (real and new images), `provenance.json` and `sheet.png` beside `images.zip`.

    Args:
        real: sample table of the real training images.
        new: sample table of the new images, which are in `images.zip`.
        made: folder that is being made, with `images.zip` in it.
        folder: what it will be: the table says that the new images are in its `images.zip`.
        provenance: how the new images were made: `row`, `alpha`, `seed`, and what else there is to know.
        say: prints a line of the stage.
        real_too: whether the real images are in the training set; if not, the new ones are all of it.
    """
    new = new.assign(archive=(folder / IMAGES).as_posix())
    samples.write(pd.concat([real, new] if real_too else [new], ignore_index=True), made / TABLE)
    save_json(provenance, made / layout.PROVENANCE)
    _draw(real, new, made, provenance["row"])
    say(f"{len(new):,} images of {new['identity'].nunique():,} people")
    say(str(folder / SHEET))


def replacing(row_folder: Path) -> AbstractContextManager[Path]:
    """The folder to fill that becomes a set; see `atomic.replacing_folder`."""
    return atomic.replacing_folder(row_folder, MAY_HOLD)


def _draw(real: pd.DataFrame, new: pd.DataFrame, folder: Path, name: str) -> None:
    """Draw a sheet of some new images, each below what it was made from; of new people several, one below the other."""
    if (new["source"] == new["image"]).all():
        groups = [group for _, group in new.groupby("identity", sort=False)]
        people = [group for group in groups if len(group) >= OF_EACH] or groups  # the last one has what was left
        people = [people[place] for place in np.unique(np.linspace(0, len(people) - 1, SHOWN).astype(int))]
        lines = [
            (f"image {place + 1}", [_picture(folder / IMAGES, group["image"].iloc[place]) for group in people])
            for place in range(min(OF_EACH, min(map(len, people))))
        ]
    else:
        chosen = new.iloc[np.linspace(0, len(new) - 1, SHOWN).astype(int)]
        archive_of = real.set_index("image")["archive"]
        lines = []
        for caption, column in (("source", "source"), ("pose", "pose_of")):
            if chosen[column].isin(real["image"]).all():
                lines.append((caption, [_picture(archive_of[image], image) for image in chosen[column]]))
        lines.append(("new image", [_picture(folder / IMAGES, image) for image in chosen["image"]]))
    sheet(lines, folder / SHEET, title=f"{name}: new images of the training set")


def _picture(path: str | Path, image: str) -> np.ndarray:
    with Archive(path) as archive:
        return archive.image(image)
