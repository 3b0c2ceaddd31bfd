"""Checks of a data set for what would spoil training or evaluation; each finding names the file at fault."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import pandas as pd

from reid.common.progress import progress
from reid.datasets.folders import SPLITS, Dataset, Finding
from reid.files.images import Archive, ImageError, decode, without_suffix
from reid.files.samples import DISTRACTOR, JUNK

# The published numbers of Market-1501's (images, junk, distractors).
MARKET_COUNTS = {"train": (12_936, 0, 0), "query": (3_368, 0, 0), "gallery": (19_732, 3_819, 2_798)}


def find_faults(dataset: Dataset, leaks_are_fatal: bool = False) -> list[Finding]:
    """All findings: those of `faults_of_tables`, damaged files, copies.

    Args:
        dataset: as it was read.
        leaks_are_fatal: whether it is an error if a training image's file is a test image's too, or another person's.
    """
    pool = [] if dataset.pool is None else [dataset.pool]
    read, unreadable = _read(pd.concat([*dataset.tables.values(), *pool]).drop_duplicates("image"))
    return [*faults_of_tables(dataset), *unreadable, *_copies(dataset.tables, read, leaks_are_fatal)]


def faults_of_tables(dataset: Dataset) -> list[Finding]:
    """Findings without reading an image: the reader's, empty splits, identities, cameras, queries without a match."""
    findings = list(dataset.findings)
    filled = [split for split in SPLITS if dataset.retrieval or split != "query"]
    findings += [Finding(True, "no images", split) for split in filled if dataset.tables[split].empty]
    if not any(finding.what == "no images" for finding in findings):
        findings += _identities(dataset.tables)
        findings += _unmatched_queries(dataset.tables["query"], dataset.tables["gallery"])
    return findings


def counts(table: pd.DataFrame) -> tuple[int, int, int]:
    """Numbers of images, of junk among them, of distractors among them."""
    return len(table), int((table["identity"] == JUNK).sum()), int((table["identity"] == DISTRACTOR).sum())


def unlike_published(tables: dict[str, pd.DataFrame]) -> list[Finding]:
    """A finding for each split whose counts are not those that Market-1501 was published with."""
    actual = {split: counts(tables[split]) for split in SPLITS}
    what = "counts differ from the published Market-1501's"
    return [
        Finding(False, what, split, f"(images, junk, distractors) are {actual[split]}, published {published}")
        for split, published in MARKET_COUNTS.items()
        if actual[split] != published
    ]


def _identities(tables: dict[str, pd.DataFrame]) -> Iterable[Finding]:
    train, query, gallery = (tables[split] for split in SPLITS)
    people = set(train["identity"])
    for split, table in (("query", query), ("gallery", gallery)):
        for identity in sorted((people & set(table["identity"])) - {JUNK, DISTRACTOR}):
            examples = table.loc[table["identity"] == identity, "image"]
            yield Finding(True, f"identity in train and in {split}", examples.iloc[0], f"identity {identity}")
    for split, table in (("train", train), ("query", query)):
        for number, what in ((JUNK, "junk"), (DISTRACTOR, "distractor")):
            for image in table.loc[table["identity"] == number, "image"]:
                said = f"{what} (identity {number}) in {split}: if it is a person, number people from 1"
                yield Finding(True, said, image)
    for table in (train, query, gallery):
        for image in table.loc[table["camera"] < 1, "image"]:
            yield Finding(True, "camera number below 1", image)
    stems = train["image"].map(without_suffix)
    for image in train.loc[stems.duplicated(), "image"]:
        yield Finding(
            True, "same name as another image but for the suffix: their generated images would have one name", image
        )
    sizes = train.groupby("identity")["image"].agg(["size", "first"])
    for image in sizes.loc[sizes["size"] == 1, "first"]:
        yield Finding(False, "the only image of its identity: it gives no pair to train a generator on", image)


def _unmatched_queries(query: pd.DataFrame, gallery: pd.DataFrame) -> Iterable[Finding]:
    cameras = gallery.groupby("identity")["camera"].agg(set)
    taken = {*query["camera"], *gallery["camera"]}
    if len(query) and len(taken) == 1:
        what = "all test images are from one camera: nothing can be measured, since matches are looked for in others"
        yield Finding(False, what, query["image"].iloc[0], f"camera {taken.pop()}")
        return
    for image, identity, camera in zip(query["image"], query["identity"], query["camera"], strict=True):
        if not cameras.get(identity, set()) - {camera}:
            what = "query without a gallery image in another camera: its average precision counts as 0"
            yield Finding(False, what, image)


def _read(table: pd.DataFrame) -> tuple[dict[str, str], list[Finding]]:
    """Image -> SHA-256 of its file, of the images that can be read; and findings of the others."""
    archives = {path: Archive(path) for path in table["archive"].unique()}

    read, faults = dict[str, str](), list[Finding]()
    rows = zip(table["archive"], table["image"], strict=True)
    for archive, image in progress(rows, "read images", "image", len(table)):
        try:
            data = archives[archive].read(image)
            decode(data, image)
        except ImageError as error:
            where = str(error).removeprefix(f"{archive}: ").removeprefix(f"{image}: ")
            faults.append(Finding(True, "unreadable image", image, where))
        else:
            read[image] = sha256(data).hexdigest()
    for opened in archives.values():
        opened.close()
    return read, faults


def _copies(tables: dict[str, pd.DataFrame], read: dict[str, str], leaks_are_fatal: bool) -> Iterable[Finding]:
    """Images whose file is that of an earlier image of another split, or of another identity of the same one."""
    first = dict[str, tuple[str, int, str]]()
    for split in SPLITS:
        for image, identity in zip(tables[split]["image"], tables[split]["identity"], strict=True):
            if image not in read:
                continue
            its, whose, earlier = first.setdefault(read[image], (split, identity, image))
            if its != split:
                what = f"the same file in {its} and in {split}"
            elif whose != identity:
                what = f"the same file as an image of another identity, in {split}"
            else:
                continue
            yield Finding(leaks_are_fatal and its == "train", what, image, earlier)
