"""Any data set, its images listed in a table: who they show, by which camera, and in which split they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from unicodedata import normalize

import pandas as pd

from reid.common.errors import InputError
from reid.datasets.folders import IMAGE_SUFFIXES, SPLITS, Dataset, Finding
from reid.files import samples
from reid.files.images import Archive
from reid.files.lists import lines
from reid.files.tables import parquet, separated

FILES = ("images.csv", "images.parquet")
COLUMNS = ("image", "identity", "camera", "split")
SEPARATORS = (",", ";", "\t")
NOBODY = {"junk": samples.JUNK, "-1": samples.JUNK, "distractor": samples.DISTRACTOR}
WHOLE = r"^(-?\d+)\.0+$"  # as tables with gaps write whole numbers
DIGITS = 9  # numbers of more are replaced, as words are


def read_listed(path: str | Path) -> Dataset:
    """A folder or zip with `images.csv` or `images.parquet` in it, whose columns are COLUMNS; others do not matter.

    Where it lies in a folder inside, as in a zip of a folder, the uppermost one counts.

    image is a path relative to the table; identity and camera are any numbers or words; split is train, query or
    gallery. The identities `junk` (or -1) and `distractor` are nobody's. Where all people have whole numbers from 1,
    they keep them; otherwise people are numbered from 1 in their order. So it is with cameras.

    Raises:
        FileNotFoundError: there is no such table.
        InputError: it cannot be read, or lacks a column or a value; the message has the entry.
    """
    with Archive(path) as archive:
        files = archive.names()
        file = _place(archive, files)
        table = _table(archive, file)
        table["image"] = file.removesuffix(PurePosixPath(file).name) + table["image"]
        findings = list[Finding]()
        stored = {normalize("NFC", name): name for name in files if name.lower().endswith(IMAGE_SUFFIXES)}
        table["image"] = table["image"].map(lambda image: stored.get(image, image))
        known = set(stored.values())
        for image in table.loc[table["image"].duplicated(), "image"]:
            findings.append(Finding(True, "listed twice; remove one of the lines", image))
        for image in table.loc[~table["image"].isin(known), "image"]:
            findings.append(Finding(True, "listed, but there is no such image", image))
        findings += [Finding(False, "not listed, left out", name) for name in sorted(known - set(table["image"]))]
        table = table[table["image"].isin(known)].drop_duplicates("image")
        where = archive.path.as_posix()
    somebody = ~table["identity"].isin(list(NOBODY))
    identities = table["identity"].map(NOBODY | _numbers(table.loc[somebody, "identity"], f"{where}: identity"))
    cameras = table["camera"].map(_numbers(table["camera"], f"{where}: camera"))
    table = table.assign(identity=identities, camera=cameras)
    parts = {split: table[table["split"] == split] for split in SPLITS}
    return Dataset(
        {
            split: samples.real_table(list(part["image"]), where, list(part["identity"]), list(part["camera"]))
            for split, part in parts.items()
        },
        findings,
    )


def _place(archive: Archive, files: list[str]) -> str:
    """Which of the files is the table: the uppermost one of FILES; there has to be one alone."""
    tables = [PurePosixPath(file) for file in files if PurePosixPath(file).name in FILES]
    top = min((len(table.parts) for table in tables), default=0)
    present = [table.as_posix() for table in tables if len(table.parts) == top]
    if len(present) != 1:
        found = " and ".join(present) or ", ".join(sorted({name.split("/")[0] for name in files})[:8]) or "nothing"
        raise FileNotFoundError(
            f"{archive.path}: expected {' or '.join(FILES)} with the columns {', '.join(COLUMNS)}, found {found}"
        )
    return present[0]


def _table(archive: Archive, file: str) -> pd.DataFrame:
    """The table with COLUMNS as words, checked."""
    where = f"{archive.path}: {file}"
    data, remedy = archive.read(file), "docs/datasets.md says what such a table is"
    if file.endswith(".csv"):
        header = next((line for _, line in lines(data, where)), "")
        table = separated(data, where, remedy, max(SEPARATORS, key=header.count), COLUMNS, as_text=True)
    else:
        table = parquet(data, where, remedy, COLUMNS)
    table = table[list(COLUMNS)].astype("string").apply(lambda column: column.str.strip())
    table["split"] = table["split"].str.lower()
    table["image"] = table["image"].str.replace("\\", "/").str.removeprefix("./").str.normalize("NFC")
    for column in ("identity", "camera"):
        table[column] = table[column].str.replace(WHOLE, r"\1", regex=True)
    nobody = table["identity"].str.lower()
    table["identity"] = table["identity"].where(~nobody.isin(list(NOBODY)), nobody)
    wrong: dict[str, Callable[[pd.DataFrame], pd.Series[bool]]] = {
        "a value is missing": lambda rows: (rows.isna() | (rows == "")).any(axis=1),
        f"split is none of {', '.join(SPLITS)}": lambda rows: ~rows["split"].isin(SPLITS),
        "image is no path below the table's folder": lambda rows: ~rows["image"].map(_is_below).astype(bool),
    }
    for what, rule in wrong.items():
        if (broken := rule(table)).any():
            first = int(broken.to_numpy().argmax())
            entry = ", ".join(f"{column}: {value}" for column, value in table.iloc[first].items())
            raise InputError(
                f"{where}: {what} in {int(broken.sum())} of {len(table)} entries, first in {first + 1}: {entry}"
            )
    return table.astype(object)


def _is_below(name: object) -> bool:
    path = PurePosixPath(str(name))
    return not path.is_absolute() and ".." not in path.parts


def _numbers(values: pd.Series[str], where: str) -> dict[str, int]:
    """The number of each value: itself where all are whole numbers from 1, or else its place in order.

    Raises:
        InputError: two values are the same number, written differently.
    """
    different = sorted(set(values))
    if not all(value.isascii() and value.isdigit() for value in different):
        return {value: number for number, value in enumerate(different, 1)}
    plain = {value: value.lstrip("0") or "0" for value in different}
    first = dict[str, str]()
    for value in different:
        if (same := first.setdefault(plain[value], value)) != value:
            raise InputError(f"{where}: {same} and {value} are one number: write it alike everywhere")
    if all(len(number) <= DIGITS and number != "0" for number in plain.values()):
        return {value: int(number) for value, number in plain.items()}
    in_order = sorted(different, key=lambda value: (len(plain[value]), plain[value]))
    return {value: number for number, value in enumerate(in_order, 1)}
