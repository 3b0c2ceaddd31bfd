"""Render alpha - 1 images for each training image: the rows that GANs are measured against."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from augment.streets.body import ASSET
from augment.streets.collection import View
from augment.streets.extra import RENDERINGS, seed_of
from augment.streets.studio import collect, shoot
from pipelines import layout, resume
from pipelines.console import stage
from reid.common.errors import InputError
from reid.files import samples
from reid.files.images import Archive
from reid.pictures.sheets import sheet

SHOWN = 14  # images on the sheet


def run(name: str, alpha: int, seed: int, processes: int) -> None:
    """Write `data/augmented/NAME-aALPHA/`.

    `images.zip`, `train.parquet` (real and rendered rows), `provenance.json` (how they were made), `sheet.png`.

    Args:
        name: of RENDERINGS. `views` renders each training image's person again, so the data set must be a rendered one;
            `identities` renders new people, beside any data set.
        alpha: size of the training set as a multiple of the real one, from 2.
        seed: of new people beside a data set that is not rendered; a rendered one brings its own.
        processes: that render at once.
    """
    if alpha < 2:
        raise InputError(f"alpha must be at least 2, got {alpha}: alpha = 1 is the real training set")
    row, folder = layout.row_name(name, alpha), layout.augmented(name, alpha)
    with stage(f"augment {row}", f"render {alpha - 1} images for each training image") as say:
        real = samples.read(layout.samples("train"))
        known = seed_of(real)
        if known is None and name == "views":
            raise InputError(
                f"{real['archive'].iloc[0]} has no truth.json: only people of a rendered data set can be rendered "
                "again; take `views` out of `renderings` in params.yaml"
            )
        seed = seed if known is None else known
        archive = folder / "images.zip"
        rows, views = RENDERINGS[name](real, alpha, seed, row, archive.as_posix())
        people: dict[int, list[View]] = {}
        for view in views:
            people.setdefault(view.person, []).append(view)
        scratch = resume.scratch(f"augment-{row}", {"row": row, "seed": seed}, [layout.samples("train"), ASSET])
        collect(shoot(seed, people, scratch.folder, processes), archive)
        samples.write(pd.concat([real, rows], ignore_index=True), folder / "train.parquet")
        made = {"row": row, "alpha": alpha, "seed": seed, "rendering": name}
        (folder / layout.PROVENANCE).write_text(json.dumps(made, indent=2) + "\n")
        _draw(real, rows, folder, row)
        scratch.remove()
        say(f"{len(rows):,} images of {len(people):,} people rendered")
        say(str(folder / "sheet.png"))


def _draw(real: pd.DataFrame, rows: pd.DataFrame, folder: Path, name: str) -> None:
    chosen = rows.iloc[np.linspace(0, len(rows) - 1, SHOWN).astype(int)]
    lines = []
    if chosen["source"].isin(real["image"]).all():
        archives = real.set_index("image").loc[chosen["source"], "archive"]
        sources = [_picture(path, image) for path, image in zip(archives, chosen["source"], strict=True)]
        lines.append(("source", sources))
    lines.append(("rendered", [_picture(folder / "images.zip", image) for image in chosen["image"]]))
    sheet(lines, folder / "sheet.png", title=f"{name}: images that the renderer adds to the training set")


def _picture(path: str | Path, image: str) -> np.ndarray:
    with Archive(path) as archive:
        return archive.image(image)
