"""The manifest of an exported data set: one entry for each image, saying where the image comes from.

===================  ====  ===========================================================================
column               type  meaning
===================  ====  ===========================================================================
image                str   path relative to the manifest's folder
split                str   train, query or gallery
identity, camera     int   as in a sample table (`reid.files.samples`), and as in the file name
origin               str   `real`, or for a generated image its row of the results table, e.g. `full-a2`
source               str   the conditioning image; a real image, or one of a new person, is its own
further_sources      str   other conditioning images, of methods that take several, joined by `|`; mostly empty
pose_of              str   the image whose pose was the target, or `bank:NAME` of a pose bank's; null for a real image,
                           and where there was none
draw                 int   0 for a real image; 1.. for the generated images of one source
sha256               str   of the file
seed                 int   that the set was generated with; null for a real image
weights_sha256       str   of the generator's weights; null for a real image, and for a rendered one
identity_rank        int   of the nearest real image of its person, to a network trained on real images; null: not
                           judged, or there is no other image of the person
margin               real  how much farther that of another person is; null: not judged
detection            real  a detector's confidence that it shows a person; null: not judged
digital_source_type  str   of a generated image, what made it, by IPTC's vocabulary of digital source types
===================  ====  ===========================================================================

`manifest.parquet` and `manifest.csv` have the same contents.
"""

from __future__ import annotations

import io
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from reid.common.errors import InputError
from reid.files import tables
from reid.files.images import Archive
from reid.files.tables import parquet, separated

PARQUET, CSV = "manifest.parquet", "manifest.csv"
COLUMNS = {
    "image": "str",
    "split": "str",
    "identity": "int64",
    "camera": "int64",
    "origin": "str",
    "source": "str",
    "further_sources": "str",
    "pose_of": "str",
    "draw": "int64",
    "sha256": "str",
    "seed": "Int64",
    "weights_sha256": "str",
    "identity_rank": "Int64",
    "margin": "float64",
    "detection": "float64",
    "digital_source_type": "str",
}
JUDGED = ("identity_rank", "margin", "detection")  # of images that were chosen from several
OPTIONAL = (*JUDGED, "digital_source_type")  # sets of earlier versions lack them


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """A table with the manifest's columns, order and types; raises InputError for a missing column or a wrong type."""
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise InputError(f"columns {missing} are missing; expected {list(COLUMNS)}, got {list(table.columns)}")
    return tables.typed(table[list(COLUMNS)], COLUMNS, "manifest", f"expected {COLUMNS}")


def label(entry: Mapping[Hashable, Any]) -> dict[str, Any]:
    """All columns of an image's entry; empty texts and -1 stand for what is null, or not given.

    Example:
        >>> found = label({"image": "a.jpg", "seed": None})
        >>> found["image"], found["pose_of"], found["seed"], found["margin"]
        ('a.jpg', '', -1, -1.0)
    """
    unknown = {"str": "", "int64": -1, "Int64": -1, "float64": -1.0}
    return {
        column: entry[column] if pd.notna(entry.get(column)) else unknown[dtype] for column, dtype in COLUMNS.items()
    }


def encode(table: pd.DataFrame) -> dict[str, bytes]:
    """The two files of a manifest; equal manifests give equal bytes."""
    parquet = io.BytesIO()
    table.to_parquet(parquet, index=False)
    return {PARQUET: parquet.getvalue(), CSV: table.to_csv(index=False, lineterminator="\n").encode()}


def read(archive: Archive, name: str) -> pd.DataFrame:
    """Read `manifest.parquet` or `manifest.csv`; raises InputError naming archive and file where it is damaged."""
    where = f"{archive.path}: {name}"
    table = (parquet if name.endswith(PARQUET) else separated)(archive.read(name), where, "export the set again")
    # A CSV file does not tell an empty text from nothing, and sets of earlier versions name one source only.
    further = table["further_sources"].astype("str").fillna("") if "further_sources" in table else ""
    unknown = {column: None for column in OPTIONAL if column not in table}
    try:
        return typed(table.assign(further_sources=further, **unknown))
    except InputError as error:
        raise InputError(f"{where}: {error}; export the set again") from error
