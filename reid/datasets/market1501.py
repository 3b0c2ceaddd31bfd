"""Market-1501 and DukeMTMC-reID as published: a folder, or the zip."""

from __future__ import annotations

from pathlib import Path

from reid.datasets.folders import SPLITS, SUFFIX, Dataset, Naming, find_root, read_images
from reid.files.images import Archive

FOLDERS = ("bounding_box_train", "query", "bounding_box_test")
POOL = "gt_bbox"  # all images of the test people, for multi-query evaluation
# Exported sets, whose generated images are named like their sources with `_gNN_NNNNNN` before the suffix, are read too.
GENERATED = (r"(_g\d+(_\d+)?)?", "nothing or, of a generated image, _g and its draw, _ and its number")
IDENTITY = (r"(?P<identity>-1|\d{1,9})", "an identity: -1, or up to 9 digits")
CAMERA = (r"_c(?P<camera>\d{1,4})", "_c and a camera")
# With more cameras, and other numbers, than the published sets have; exported sets have theirs: reid.export.layout.
MARKET = Naming(
    "0002_c1s1_000451_03.jpg",
    (
        IDENTITY,
        CAMERA,
        (r"s\d+", "s and a sequence"),
        (r"_\d+", "_ and a frame"),
        (r"_\d+", "_ and the number of the box"),
        GENERATED,
        (r"(?i:\.jpg(?=\.))?", "nothing, or a suffix that is written twice, as in the published set"),
        SUFFIX,
    ),
)
DUKE = Naming("0005_c2_f0046985.jpg", (IDENTITY, CAMERA, (r"_f\d+", "_f and a frame"), GENERATED, SUFFIX))


def read_market1501(path: str | Path) -> Dataset:
    """Market-1501: `0002_c1s1_000451_03.jpg` is identity 2 in camera 1; -1 junk, 0000 distractors.

    Example:
        >>> tables = read_market1501("data/raw/streets.zip").tables
        >>> {split: len(table) for split, table in tables.items()}
        {'train': 1380, 'query': 436, 'gallery': 1107}
    """
    return _read(path, MARKET)


def read_dukemtmc(path: str | Path) -> Dataset:
    """DukeMTMC-reID: Market-1501's folders; `0005_c2_f0046985.jpg` is identity 5 in camera 2."""
    return _read(path, DUKE)


def _read(path: str | Path, naming: Naming) -> Dataset:
    dataset = Dataset()
    with Archive(path) as archive:
        root = find_root(archive, FOLDERS)
        for split, folder in zip(SPLITS, FOLDERS, strict=True):
            dataset.tables[split] = read_images(archive, f"{root}{folder}/", naming, dataset.findings)
        if any(name.startswith(f"{root}{POOL}/") for name in archive.names()):
            dataset.pool = read_images(archive, f"{root}{POOL}/", naming, dataset.findings)
    return dataset
