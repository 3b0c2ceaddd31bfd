"""The files of an exported data set: the original test set, and real and generated training images side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from reid.common.errors import InputError
from reid.common.progress import progress
from reid.datasets.folders import SPLITS
from reid.export import manifest
from reid.export.datasheet import datasheet
from reid.export.layout import FOLDER_OF, ROOTS, naming
from reid.export.shards import shards
from reid.files.images import Archive, decode
from reid.files.samples import REAL

DATASHEET = "DATASHEET.md"


def exported(
    tables: Mapping[str, pd.DataFrame], made: dict[str, Any], layout: str = "nested", with_shards: bool = False
) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of each file: images, copied as they are; `manifest.parquet`, `manifest.csv`, `DATASHEET.md`.

    Args:
        tables: sample table of each of SPLITS; that of `train` has the generated images too.
        made: how they were generated: `row`, `seed`, `weights_sha256` (absent where no network drew them), and whatever
            else the datasheet should say.
        layout: of LAYOUTS.
        with_shards: whether to add the images as WebDataset shards.

    Raises:
        InputError: images that are not named as in Market-1501 or DukeMTMC-reID, or two of one name; an image that
            cannot be decoded.
    """
    table = pd.concat([tables[split].assign(split=split) for split in SPLITS], ignore_index=True)
    style = naming(table["image"])
    root = ROOTS[style][layout]
    places = _places(table, root)
    with ExitStack() as stack:
        archives = {path: stack.enter_context(Archive(path)) for path in sorted(table["archive"].unique())}
        where = dict(zip(places, zip(table["archive"], table["image"], strict=True), strict=True))

        def read(place: str) -> bytes:
            archive, image = where[place]
            return archives[archive].read(image)

        sums = []
        for place in progress(list(places), f"export {len(places)} images", "image"):
            data = read(place)
            decode(data, str(where[place]))  # readers elsewhere hang or stop on a broken image
            sums.append(hashlib.sha256(data).hexdigest())
            yield place, data
        rows = _manifest(table, places, sums, made)
        yield from manifest.encode(rows).items()
        yield DATASHEET, datasheet(rows, made, style, root, sorted(tables["query"]["archive"].unique())).encode()
        if with_shards:
            yield from shards(rows, read)


def _places(table: pd.DataFrame, root: str) -> pd.Series[str]:
    """Where each image goes; raises InputError where two would go to one place."""
    folders = table["split"].map(FOLDER_OF)
    names = table["image"].map(lambda image: PurePosixPath(image).name)
    places = root + "/" + folders + "/" + names
    twice = places[places.duplicated(keep=False)]
    if len(twice):
        raise InputError(f"two images would become {twice.iloc[0]}: {', '.join(table.loc[twice.index, 'image'][:2])}")
    return places


def _manifest(table: pd.DataFrame, places: pd.Series[str], sums: list[str], made: dict[str, Any]) -> pd.DataFrame:
    new = dict(zip(table["image"], places, strict=True))
    generated = table["origin"] != REAL
    rows = table.assign(image=places, source=table["source"].map(new), pose_of=table["pose_of"].map(new), sha256=sums)
    rows["seed"] = pd.Series([made["seed"] if drawn else None for drawn in generated], dtype="Int64")
    rows["weights_sha256"] = [made.get("weights_sha256") if drawn else None for drawn in generated]
    return manifest.typed(rows)
