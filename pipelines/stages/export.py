"""Write an augmented training set, and the test set with it, in a layout that other Re-ID code reads."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from pipelines import layout
from pipelines.console import stage
from reid.common.atomic import refuse_existing
from reid.common.errors import InputError
from reid.common.saved import load_json
from reid.datasets import SPLITS
from reid.export import manifest
from reid.export.layout import trap
from reid.export.members import exported
from reid.files import samples
from reid.files.images import write_folder, write_zip


def run(name: str, alpha: int, out: Path, form: str, shards: bool, parquet: bool, published: str | None = None) -> None:
    """Write the training set `data/augmented/NAME-aALPHA` and the test set to `out`, a folder or a `.zip`.

    Args:
        name: of a generator, rendering, selection or of virtual people.
        alpha: size of the training set as a multiple of the real one.
        out: must not exist, or be an empty folder; it appears under this name only once it is complete.
        form: the layout of folders, one of `reid.export.layout.LAYOUTS`.
        shards: whether to add WebDataset shards.
        parquet: whether to add Parquet files with the images in them.
        published: the day, YYYY-MM-DD, if the set is to be published; not today's, so that equal sets are equal files.

    Raises:
        FileNotFoundError: there is no such augmented set; the message lists the existing ones.
        InputError: `name` is `real`; `out` exists; see `reid.export.members.exported`; or the path of the folder looks
            like an identity and camera to other libraries.
    """
    row, augmented = layout.row_name(name, alpha), layout.augmented(name, alpha)
    forms = [form, *(["shards"] if shards else []), *(["parquet"] if parquet else [])]
    with stage(f"export {row}", f"{', '.join(forms)}: {out}") as say:
        refuse_existing(out)
        to_zip = out.suffix.lower() == ".zip"
        label = None if to_zip else trap(PurePosixPath(out.resolve()))
        if label:
            raise InputError(
                f"{out.resolve()} has {label} in it, which torchreid and others would take for the identity and camera "
                "of every image: choose another --out"
            )
        if name == layout.REAL:
            raise InputError(f"{name} is the original data set: `dataset.path` in params.yaml says where it lies")
        if not augmented.exists():
            real = layout.folder_name(layout.REAL)
            sets = sorted(
                path.name for path in layout.AUGMENTED.glob("*") if path.suffix != ".partial" and path.name != real
            )
            existing = ", ".join(sets) or "none"
            raise FileNotFoundError(
                f"{augmented} does not exist; augmented sets that there are: {existing}; `dvc repro` makes those that "
                "params.yaml names"
            )
        tables = {"train": _with_judgements(samples.read(augmented / "train.parquet"), augmented / layout.JUDGED)}
        tables |= {split: samples.read(layout.samples(split)) for split in SPLITS if split != "train"}
        made = _provenance(augmented) | ({"published": published} if published else {})
        members = exported(tables, made, form, shards, parquet)
        (write_zip if to_zip else write_folder)(out, members)
        generated = int((tables["train"]["origin"] != samples.REAL).sum())
        total = sum(len(table) for table in tables.values())
        say(f"{total:,} images, {generated:,} of them generated: {out}")


def _with_judgements(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """The table with the columns of what judged its generated images, where they were chosen from several."""
    if not path.exists():
        return table
    judged = samples.read_parquet(path)[["image", *manifest.JUDGED]]
    judged["identity_rank"] = judged["identity_rank"].astype("Int64").where(judged["identity_rank"] > 0)
    return table.merge(judged, how="left", on="image")


def _provenance(augmented: Path) -> dict[str, Any]:
    """How the images of an augmented set were made, as `augment` wrote it beside them."""
    path, remedy = augmented / layout.PROVENANCE, f"run `dvc repro`, or make {augmented} again"
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist, which says how the images were made: {remedy}")
    return load_json(path, ("row", "alpha", "seed"), remedy)
