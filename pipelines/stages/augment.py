"""Generate alpha - 1 images for each training image, labelled with its identity."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from augment import generators
from augment.data.people import People
from augment.synthesis import plan, synthesise
from pipelines import layout, resume
from pipelines.console import stage
from pipelines.people import read_people
from pipelines.runtime import describe, set_up
from reid.common.checkpoints import digest
from reid.files import samples
from reid.files.images import Archive
from reid.pictures.sheets import sheet

SHOWN = 14  # generated images on the sheet


def run(name: str, alpha: int, seed: int, device_name: str, threads: int, size: tuple[int, int]) -> None:
    """Write `data/augmented/NAME-aALPHA/`.

    `images.zip`, `train.parquet` (real and generated rows), `provenance.json` (how they were made), `sheet.png`.
    """
    device = set_up(device_name, threads)
    row, gan, folder = layout.row_name(name, alpha), layout.gan(name), layout.augmented(name, alpha)
    with stage(
        f"augment {row}", f"{alpha - 1} generated for each training image on {describe(device, threads)}"
    ) as say:
        real = samples.read(layout.samples("train"))
        generator = generators.load(gan, device)
        people = read_people(real, size, generator.background)
        usable = generator.usable(people.poses, people.poses).numpy()
        archive = folder / "images.zip"
        rows = plan(real, usable, alpha, seed, origin=row, archive=archive.as_posix())

        settings = {"row": row, "seed": seed, "size": size, "threads": threads, "device": device.type}
        inputs = [gan / "generator.pt", gan / "config.json", layout.samples("train"), layout.poses()]
        scratch = resume.scratch(f"augment-{row}", settings, [*inputs, *samples.archives(real)])
        synthesise(generator, people.to(device), list(real["image"]), rows, archive, scratch)
        samples.write(pd.concat([real, rows], ignore_index=True), folder / "train.parquet")
        made = {
            "row": row,
            "alpha": alpha,
            "seed": seed,
            "image_size": size,
            "generator": json.loads((gan / "config.json").read_text()),
            "weights_sha256": digest(gan / "generator.pt"),
        }
        (folder / layout.PROVENANCE).write_text(json.dumps(made, indent=2) + "\n")
        _draw(people, list(real["image"]), rows, folder, row)
        scratch.remove()
        left_out = len(real) - int(usable.sum())
        say(f"{len(rows):,} images generated, {left_out:,} of {len(real):,} without a usable pose got none")
        say(str(folder / "sheet.png"))


def _draw(people: People, images: list[str], rows: pd.DataFrame, folder: Path, name: str) -> None:
    index = {image: number for number, image in enumerate(images)}
    chosen = rows.iloc[np.linspace(0, len(rows) - 1, SHOWN).astype(int)]
    real = people.images.permute(0, 2, 3, 1).cpu().numpy()
    with Archive(folder / "images.zip") as archive:
        generated = [archive.image(image) for image in chosen["image"]]
    lines = [
        ("source", [real[index[image]] for image in chosen["source"]]),
        ("pose", [real[index[image]] for image in chosen["pose_of"]]),
        ("generated", generated),
    ]
    title = f"{name}: training people redrawn in the poses of others; the generated image has the source's identity"
    sheet(lines, folder / "sheet.png", title=title)
