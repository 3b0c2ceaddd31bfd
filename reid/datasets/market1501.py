"""Market-1501 and DukeMTMC-reID as published: a folder, or the zip."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from reid.datasets.folders import SPLITS, Dataset, Finding, find_root, read_images
from reid.errors import InputError
from reid.images import Archive

FOLDERS = ("bounding_box_train", "query", "bounding_box_test")
# A generated image's name is its source's with `_gNN` before the suffix, so that an exported set can be read again.
GENERATED = r"(_g\d+)?"
MARKET = re.compile(rf"(?P<identity>-1|\d{{4,}})_c(?P<camera>\d)s\d_\d{{6}}_\d{{2}}{GENERATED}\.(jpg|png)")
DUKE = re.compile(rf"(?P<identity>\d{{4}})_c(?P<camera>\d)_f\d+{GENERATED}\.(jpg|png)")


def read_market1501(path: str | Path) -> Dataset:
    """Market-1501: `0002_c1s1_000451_03.jpg` is identity 2 in camera 1; -1 junk, 0000 distractors."""
    return _read(path, MARKET)


def read_dukemtmc(path: str | Path) -> Dataset:
    """DukeMTMC-reID: Market-1501's folders, names such as `0005_c2_f0046985.jpg`."""
    return _read(path, DUKE)


def read_gt_bbox(path: str | Path) -> pd.DataFrame:
    """Market-1501's `gt_bbox`, all images of the test people, for multi-query evaluation (`reid.multi_query`).

    Returns:
        their sample table; empty where the data set has no such folder.

    Raises:
        InputError: an image's name does not follow Market-1501's.
    """
    findings = list[Finding]()
    with Archive(path) as archive:
        table = read_images(archive, f"{find_root(archive, FOLDERS)}gt_bbox/", MARKET, findings)
    for finding in findings:
        if finding.fatal:
            raise InputError(f"{path}: {finding.where}: {finding.what}")
    return table


def _read(path: str | Path, pattern: re.Pattern[str]) -> Dataset:
    dataset = Dataset()
    with Archive(path) as archive:
        root = find_root(archive, FOLDERS)
        for split, folder in zip(SPLITS, FOLDERS, strict=True):
            dataset.tables[split] = read_images(archive, f"{root}{folder}/", pattern, dataset.findings)
    return dataset
