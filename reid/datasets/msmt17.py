"""MSMT17 as published: the folders `train` and `test`, and lists of the images of each split."""

from __future__ import annotations

from pathlib import Path

from reid.common.errors import InputError
from reid.datasets.folders import SUFFIX, Dataset, Finding, Naming, find_root, read_images, roots
from reid.files.images import Archive
from reid.files.lists import lines

NAMING = Naming(
    "0000_000_01_0303morning_0008_0.jpg",
    (
        (r"(?P<identity>\d{4})", "an identity of four digits"),
        (r"_\d{3}", "_ and the number of the image, of three digits"),
        (r"_(?P<camera>\d{2})", "_ and a camera of two digits"),
        (r"_\w+", "_ and the time"),
        SUFFIX,
    ),
)
FOLDERS = {"train": "train", "test": "test"}
FOLDERS_V2 = {"train": "mask_train_v2", "test": "mask_test_v2"}  # of the second version, whose faces are hidden
LISTS = {"train": ("train", ("train", "val")), "query": ("test", ("query",)), "gallery": ("test", ("gallery",))}


def read_msmt17(path: str | Path) -> Dataset:
    """MSMT17 or its second version: `train/0000/0000_000_01_0303morning_0008_0.jpg` is identity 0 in camera 1.

    Its identities start at 0, in `train` and again in `test`, where 0 is another person; and in sample tables 0 stands
    for distractors. So training identity i becomes i + 1, and test identity i becomes i + 1 + the last one of training.
    """
    findings = list[Finding]()
    tables = {}
    with Archive(path) as archive:
        folders = FOLDERS_V2 if roots(archive.names(), list(FOLDERS_V2.values())) else FOLDERS
        root = find_root(archive, list(folders.values()))
        images = {part: read_images(archive, f"{root}{name}/", NAMING, findings) for part, name in folders.items()}
        images["train"]["identity"] += 1
        images["test"]["identity"] += 1 + int(images["train"]["identity"].max() if len(images["train"]) else 0)
        for split, (folder, parts) in LISTS.items():
            listed = {
                f"{root}{folders[folder]}/{name}"
                for part in parts
                for name in _read_list(archive, f"{root}list_{part}.txt")
            }
            tables[split] = images[folder][images[folder]["image"].isin(listed)].reset_index(drop=True)
            missing = sorted(listed - set(images[folder]["image"]))
            findings += [Finding(True, "listed, but the file is missing", name) for name in missing]
    return Dataset(tables, findings)


def _read_list(archive: Archive, name: str) -> list[str]:
    """File names of a list whose lines are `NAME LABEL`."""
    where, names = f"{archive.path}: {name}", []
    for number, line in lines(archive.read(name), where):
        words = line.split()
        if len(words) != 2:
            raise InputError(f"{where}:{number}: expected `NAME LABEL`, got {line!r}: unpack MSMT17 again")
        names.append(words[0])
    return names
