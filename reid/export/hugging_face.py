"""What the library `datasets` of Hugging Face reads: a card that names the splits, and tables of labels or images.

`load_dataset` on an exported folder follows the card, README.md. It then reads either the image files, by a table of
labels for each split, or Parquet files that have the images in them. Both have the manifest's columns, where `file` is
the path of the image (which `source`, `further_sources` and `pose_of` name) and `image` is the picture.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from reid.common.errors import InputError
from reid.datasets.folders import SPLITS, Finding
from reid.export import manifest
from reid.export.layout import FOLDER_OF
from reid.files.samples import REAL, is_of_bank
from reid.files.tables import parquet

CARD = "README.md"
FOLDER = "parquet"
IMAGES = 4096  # in a Parquet file: some 10 MB of person crops
LABELS = {split: f"manifest-{split}.parquet" for split in SPLITS}
ORIGINS = ["derived_from", "generated_by"]  # columns beside the manifest's
# Strings in quotes are YAML as they are JSON.
TEXT = """---
license: other
license_name: as-the-original-images
license_link: DATASHEET.md
tags: [person-re-identification, generated-images]
configs:
- config_name: default
{config}
---
# {row}

An augmented person re-identification data set: what it is, how it was made, and what it may be used for are in
DATASHEET.md. In the folder that holds this file:

    datasets.load_dataset(".")

Real images have the origin `real`. All others are generated. {labelled}
"""


def card(row: str, root: str, embedded: bool, labelled: str) -> bytes:
    """README.md: a dataset card with the splits.

    Args:
        row: of the results table, whose training set this is.
        root: folder of the images, below that of the card.
        embedded: whether the splits are Parquet files with the images in them (`image_tables`), or the image files
            with tables beside them (`label_tables`).
        labelled: whose identities generated images have.
    """
    lines = [] if embedded else [f"  metadata_filenames: {json.dumps(list(LABELS.values()))}"]
    lines.append("  data_files:")
    for split in SPLITS:
        files = [f"{FOLDER}/{split}-*.parquet"] if embedded else [LABELS[split], f"{root}/{FOLDER_OF[split]}/*"]
        lines += [f"  - split: {split}", f"    path: {json.dumps(files)}"]
    return TEXT.format(config="\n".join(lines), row=row, labelled=labelled).encode()


def label_tables(entries: pd.DataFrame) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of a table for each split, all with the same columns and types.

    Beside the manifest's they have `file_name`, the image's path again, for `datasets`; `derived_from`, all images that
    a generated image was made from, joined by `|`; and `generated_by`, its row. The last two are null for real images.

    Args:
        entries: the manifest's.
    """
    for split in SPLITS:
        table = entries[entries["split"] == split]
        yield LABELS[split], _encoded(_with_origins(table).assign(file_name=table["image"]))


def image_tables(
    entries: pd.DataFrame, read: Callable[[str], bytes], images: int = IMAGES
) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of Parquet files with the images in them, e.g. `parquet/train-00000-of-00003.parquet`.

    Args:
        entries: the manifest's.
        read: returns the bytes of an image that the manifest names.
        images: in a file, at most.
    """
    for split in SPLITS:
        table = entries[entries["split"] == split]
        count = -(-len(table) // images)
        for number in range(count):
            part = table.iloc[number * images : (number + 1) * images]
            pictures = [{"bytes": read(path), "path": PurePosixPath(path).name} for path in part["image"]]
            yield (
                f"{FOLDER}/{split}-{number:05d}-of-{count:05d}.parquet",
                _encoded(_with_origins(part), pictures),
            )


def _with_origins(table: pd.DataFrame) -> pd.DataFrame:
    generated = table["origin"] != REAL
    known = table[["source", "further_sources", "pose_of"]].where(table["source"] != table["image"], other=None)
    known["pose_of"] = table["pose_of"].where(~table["pose_of"].map(is_of_bank))  # of an image that is elsewhere
    joined = ["|".join(name for name in names if pd.notna(name) and name) for names in known.to_numpy()]
    derived = pd.Series(joined, table.index, dtype="str").where(generated & (pd.Series(joined, table.index) != ""))
    labels = table.assign(derived_from=derived, generated_by=table["origin"].where(generated))
    return labels.rename(columns={"image": "file"})


def _encoded(table: pd.DataFrame, pictures: list[dict[str, Any]] | None = None) -> bytes:
    import pyarrow
    from pyarrow.parquet import write_table

    arrow = pyarrow.Table.from_pandas(table, preserve_index=False)
    if pictures is not None:
        stored = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})
        arrow = arrow.add_column(0, pyarrow.field("image", stored), pyarrow.array(pictures, stored))
        features = {"info": {"features": {"image": {"_type": "Image"}}}}
        arrow = arrow.replace_schema_metadata({"huggingface": json.dumps(features)})
    buffer = io.BytesIO()
    write_table(arrow, buffer, row_group_size=1024)
    return buffer.getvalue()


def table_faults(entries: pd.DataFrame, files: Iterable[tuple[str, bytes]]) -> Iterator[Finding]:
    """A finding for each image in the tables that the manifest does not list, or lists with another label or contents.

    Images that the tables lack are one finding.

    Args:
        entries: the manifest's.
        files: (path, bytes) of each table, all of the same kind.
    """
    missing = {entry["image"]: entry for entry in map(manifest.label, entries.to_dict("records"))}
    origins = _with_origins(entries).drop_duplicates("file").set_index("file")[ORIGINS].fillna("")
    for name, data in files:
        try:
            table = parquet(data, name, "export the set again", ["file", *ORIGINS])
            rows = manifest.typed(table.drop(columns="image", errors="ignore").rename(columns={"file": "image"}))
        except InputError as error:
            yield Finding(True, "damaged table", name, str(error))
            continue
        pictures = table["image"] if "image" in table else [None] * len(table)
        same = (table[ORIGINS].astype("str").fillna("").to_numpy() == origins.reindex(rows["image"]).to_numpy()).all(
            axis=1
        )
        labels = map(manifest.label, rows.to_dict("records"))
        for entry, origin_is_right, picture in zip(labels, same, pictures, strict=True):
            where = f"{name}: {entry['image']}"
            expected = missing.pop(entry["image"], None)
            if expected is None:
                yield Finding(True, "in a table: not in the manifest, or twice", where)
            elif entry != expected or not origin_is_right or entry["split"] not in PurePosixPath(name).name:
                yield Finding(True, "in a table: another label than the manifest's", where)
            elif "image" in table and _digest(picture) != expected["sha256"]:
                yield Finding(True, "in a table: another image than the manifest's", where)
    if missing:
        yield Finding(True, "in no table", next(iter(missing)), f"{len(missing)} images")


def _digest(picture: object) -> str:
    """SHA-256 of an embedded image; empty where there is none."""
    data = picture.get("bytes") if isinstance(picture, dict) else None
    return hashlib.sha256(data).hexdigest() if isinstance(data, bytes) else ""
