"""The manifest of an exported data set: one row an image, saying where it comes from.

=================  ====  =============================================================================
column             type  meaning
=================  ====  =============================================================================
image              str   path below the folder that the manifest lies in
split              str   train, query or gallery
identity, camera   int   as of a sample table (`reid.files.samples`), and as the file name says
origin             str   `real`, or the row of the table that generated it, e.g. `full-a2`
source             str   the image that was redrawn (itself for a real image, or a picture of somebody new)
pose_of            str   the image whose pose was the target; null for a real image, and where none was
draw               int   0 real, 1.. generated
sha256             str   of the file
seed               int   that the set was generated with; null for a real image
weights_sha256     str   of the generator's weights; null for a real image, and where no network drew it
=================  ====  =============================================================================

`manifest.parquet` and `manifest.csv` hold the same.
"""

from __future__ import annotations

import io

import pandas as pd
from pyarrow import ArrowInvalid

from reid.common.errors import InputError
from reid.files.images import Archive

PARQUET, CSV = "manifest.parquet", "manifest.csv"
COLUMNS = {
    "image": "str",
    "split": "str",
    "identity": "int64",
    "camera": "int64",
    "origin": "str",
    "source": "str",
    "pose_of": "str",
    "draw": "int64",
    "sha256": "str",
    "seed": "Int64",
    "weights_sha256": "str",
}


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """The manifest's columns in their order, with their types; raises InputError naming a missing column."""
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise InputError(f"columns {missing} are missing; it has {list(table.columns)}")
    try:
        return table[list(COLUMNS)].astype(COLUMNS)
    except (ValueError, TypeError) as error:
        raise InputError(f"a value has the wrong type: {error}") from error


def encode(table: pd.DataFrame) -> dict[str, bytes]:
    """The two files of a manifest; equal manifests give equal bytes."""
    parquet = io.BytesIO()
    table.to_parquet(parquet, index=False)
    return {PARQUET: parquet.getvalue(), CSV: table.to_csv(index=False, lineterminator="\n").encode()}


def read(archive: Archive, name: str) -> pd.DataFrame:
    """Read `manifest.parquet` or `manifest.csv`; raises InputError where it is damaged."""
    data = io.BytesIO(archive.read(name))
    try:
        table = pd.read_parquet(data) if name.endswith(PARQUET) else pd.read_csv(data)
    except (ArrowInvalid, ValueError) as error:
        raise InputError(f"it cannot be read: {error}") from error
    return typed(table)
