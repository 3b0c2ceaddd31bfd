"""MSMT17 as published: the folders `train` and `test`, and lists of the images of each split."""

from __future__ import annotations

import re
from pathlib import Path

from reid.datasets.folders import Dataset, Finding, find_root, read_images
from reid.files.images import Archive

NAME = re.compile(r"(?P<identity>\d{4})_\d{3}_(?P<camera>\d{2})_\w+\.jpg")
LISTS = {"train": ("train", ("train", "val")), "query": ("test", ("query",)), "gallery": ("test", ("gallery",))}


def read_msmt17(path: str | Path) -> Dataset:
    """MSMT17: `train/0000/0000_000_01_0303morning_0008_0.jpg` is identity 0 in camera 1.

    Its identities start at 0, in `train` and again in `test`, where 0 is another person; and in sample tables 0 stands
    for distractors. So training identity i becomes i + 1, and test identity i becomes i + 1 + the last one of training.
    """
    findings = list[Finding]()
    tables = {}
    with Archive(path) as archive:
        root = find_root(archive, ("train", "test"))
        images = {folder: read_images(archive, f"{root}{folder}/", NAME, findings) for folder in ("train", "test")}
        images["train"]["identity"] += 1
        images["test"]["identity"] += 1 + int(images["train"]["identity"].max() if len(images["train"]) else 0)
        for split, (folder, lists) in LISTS.items():
            listed = {
                f"{root}{folder}/{name}" for part in lists for name in _read_list(archive, f"{root}list_{part}.txt")
            }
            tables[split] = images[folder][images[folder]["image"].isin(listed)].reset_index(drop=True)
            missing = sorted(listed - set(images[folder]["image"]))
            findings += [Finding(True, "listed, but the file is missing", name) for name in missing]
    return Dataset(tables, findings)


def _read_list(archive: Archive, name: str) -> list[str]:
    """File names of a list whose lines are `NAME LABEL`."""
    return [line.rsplit(" ", 1)[0] for line in archive.read(name).decode().splitlines() if line.strip()]
