"""The sample table: one entry for each image, with its identity, its camera and where it comes from.

The table is a pandas DataFrame, stored as Parquet:

===============  ====  ===============================================================================
column           type  meaning
===============  ====  ===============================================================================
image            str   unique key: path inside its archive, e.g. `bounding_box_train/0002_c1s1_000451_03.jpg`
archive          str   path of the zip or folder that holds it, relative to the project's root
identity         int   the data set's own id; -1 junk, 0 distractor
camera           int   from 1
origin           str   `real`, or for a generated image its row of the results table, e.g. `full-a2`
source           str   the conditioning image; a real image is its own
further_sources  str   other conditioning images, for methods that take several: names joined by `|`; mostly empty
pose_of          str   the image whose pose was the target, or `bank:NAME` of a pose bank's; null for a real image
draw             int   0 for a real image; 1.. for the generated images of one source
===============  ====  ===============================================================================

A generated image has the identity and the camera of its source; one of a person who is not in the data set is its own
source. Class labels are made at training time (`class_labels`), never stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reid.common.atomic import replacing
from reid.common.errors import InputError
from reid.files.tables import parquet, typed

REMEDY = "run `dvc checkout -f`, or its stage again"
REAL = "real"
JUNK = -1
DISTRACTOR = 0
BANK = "bank:"  # before the names of poses of a pose bank
COLUMNS = {
    "image": "str",
    "archive": "str",
    "identity": "int64",
    "camera": "int64",
    "origin": "str",
    "source": "str",
    "further_sources": "str",
    "pose_of": "str",
    "draw": "int64",
}


def real_table(images: list[str], archive: str, identities: list[int], cameras: list[int]) -> pd.DataFrame:
    """A sample table of real images, sorted by image.

    Example:
        >>> table = real_table(["b.jpg", "a.jpg"], "data/raw/set.zip", identities=[7, 8], cameras=[1, 2])
        >>> table[["image", "identity", "camera", "origin", "source", "draw"]].to_numpy().tolist()
        [['a.jpg', 8, 2, 'real', 'a.jpg', 0], ['b.jpg', 7, 1, 'real', 'b.jpg', 0]]
    """
    table = pd.DataFrame({"image": images, "archive": archive, "identity": identities, "camera": cameras})
    table = table.assign(origin=REAL, source=table["image"], further_sources="", pose_of=None, draw=0)
    return typed(table, COLUMNS, archive, "give whole numbers").sort_values("image", ignore_index=True)


def of_bank(name: str) -> str:
    """What `pose_of` calls a pose of a pose bank, whose image is not in the data set.

    Example:
        >>> of_bank("0001C1T0001F001.jpg")
        'bank:0001C1T0001F001.jpg'
    """
    return BANK + name


def is_of_bank(name: object) -> bool:
    """Whether a value of `pose_of` names a pose of a pose bank."""
    return isinstance(name, str) and name.startswith(BANK)


def check(table: pd.DataFrame, name: str = "sample table") -> pd.DataFrame:
    """Return the table if it is a valid sample table.

    Raises:
        InputError: it is not; the message says which images break which rule, and calls the table `name`.
    """
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise InputError(
            f"{name}: columns {missing} are missing; expected a sample table with {list(COLUMNS)}, got "
            f"{list(table.columns)}"
        )
    rules = {
        "image occurs more than once": table["image"].duplicated(keep=False),
        "camera is below 1": table["camera"] < 1,
        "identity is below -1": table["identity"] < JUNK,
        "a real image with a draw, or a generated one without": (table["origin"] == REAL) != (table["draw"] == 0),
    }
    known = table.drop_duplicates("image").set_index("image")
    source = known.reindex(table["source"])
    rules["source is not in the table"] = pd.Series(source["identity"].isna().to_numpy(), table.index)
    for column in ("identity", "camera"):
        differs = source[column].notna().to_numpy() & (source[column].to_numpy() != table[column].to_numpy())
        rules[f"{column} differs from its source's"] = pd.Series(differs, table.index)
    further = [(entry, name) for entry, joined in enumerate(table["further_sources"]) for name in split_names(joined)]
    entries, names = np.array([entry for entry, _ in further], np.int64), [name for _, name in further]
    identity = known["identity"].reindex(names).to_numpy()
    for rule, wrong in (
        ("a further source is not in the table", np.isnan(identity)),
        ("a further source is of another identity", identity != table["identity"].to_numpy()[entries]),
    ):
        rules[rule] = pd.Series(np.bincount(entries[wrong], minlength=len(table)) > 0, table.index)
    for rule, broken in rules.items():
        if broken.any():
            examples = ", ".join(table.loc[broken, "image"].head(3))
            raise InputError(f"{name}: {rule}: {int(broken.sum())} of {len(table)} images, e.g. {examples}")
    return table


def read(path: Path) -> pd.DataFrame:
    """Read and check a sample table; raises FileNotFoundError or InputError naming the file."""
    return check(typed(read_parquet(path), COLUMNS, str(path), REMEDY), str(path))


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file; raises FileNotFoundError, or InputError where it is damaged, naming the file."""
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: run `dvc repro`, or the stage that writes it (data/README.md)")
    return parquet(path, str(path), REMEDY)


def write(table: pd.DataFrame, path: Path) -> None:
    """Check a sample table and write it as Parquet; equal tables give equal bytes."""
    write_parquet(check(table, str(path))[list(COLUMNS)], path)


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write any table as Parquet; equal tables give equal bytes."""
    with replacing(path) as new:
        table.to_parquet(new, index=False)


def write_tsv(table: pd.DataFrame, path: Path, numbers: str) -> None:
    """Write any table as tab-separated values, with its numbers in a format like `%.4g`."""
    with replacing(path) as new:
        table.to_csv(new, sep="\t", index=False, float_format=numbers)


def join_names(images: Iterable[str]) -> str:
    """Names of images as one value of `further_sources`; raises InputError where one has a `|` in it.

    Example:
        >>> join_names(["a.jpg", "b.jpg"])
        'a.jpg|b.jpg'
    """
    names = list(images)
    for name in names:
        if "|" in name:
            raise InputError(f"{name}: images that are sources beside others must not have | in their names; rename it")
    return "|".join(names)


def split_names(joined: str) -> list[str]:
    """The names in a value of `further_sources`."""
    return joined.split("|") if joined else []


def archives(table: pd.DataFrame) -> list[Path]:
    """Paths of the archives that hold the table's images, sorted."""
    return [Path(path) for path in sorted(table["archive"].unique())]


def class_labels(identities: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Class labels (N,), 0..K-1 in the order of the K sorted identities (N,), and K.

    Example:
        >>> class_labels(np.array([9, 2, 9, 5]))
        (array([2, 0, 2, 1]), 3)
    """
    people, labels = np.unique(identities, return_inverse=True)
    return labels.astype(np.int64), len(people)
