"""Checks of a data set: what would make training or evaluation wrong, each finding named with its file."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pandas as pd

from reid.common.progress import progress
from reid.datasets.folders import SPLITS, Dataset, Finding
from reid.files.images import Archive, ImageError
from reid.files.samples import DISTRACTOR, JUNK

# Market-1501's (images, junk, distractors), known exactly.
MARKET_COUNTS = {"train": (12_936, 0, 0), "query": (3_368, 0, 0), "gallery": (19_732, 3_819, 2_798)}


def find_faults(dataset: Dataset, threads: int = 4) -> list[Finding]:
    """All findings, those of the reader first: empty splits, identities, cameras, matches, then every image's bytes."""
    findings = list(dataset.findings)
    filled = [split for split in SPLITS if dataset.retrieval or split != "query"]
    findings += [Finding(True, "no images", split) for split in filled if dataset.tables[split].empty]
    if not any(finding.what == "no images" for finding in findings):
        findings += _identities(dataset.tables)
        findings += _unmatched_queries(dataset.tables["query"], dataset.tables["gallery"])
    pool = [] if dataset.pool is None else [dataset.pool]
    findings += _unreadable(pd.concat([*dataset.tables.values(), *pool]).drop_duplicates("image"), threads)
    return findings


def counts(table: pd.DataFrame) -> tuple[int, int, int]:
    """Images, junk among them, distractors among them."""
    return len(table), int((table["identity"] == JUNK).sum()), int((table["identity"] == DISTRACTOR).sum())


def unlike_published(dataset: Dataset) -> list[Finding]:
    """A finding for each split of Market-1501 whose counts are not the published ones."""
    found = {split: counts(dataset.tables[split]) for split in SPLITS}
    return [
        Finding(
            False, "unlike Market-1501", split, f"(images, junk, distractors) {found[split]}, published {published}"
        )
        for split, published in MARKET_COUNTS.items()
        if found[split] != published
    ]


def _identities(tables: dict[str, pd.DataFrame]) -> Iterable[Finding]:
    train, query, gallery = (tables[split] for split in SPLITS)
    people = set(train["identity"])
    for split, table in (("query", query), ("gallery", gallery)):
        for identity in sorted((people & set(table["identity"])) - {JUNK, DISTRACTOR}):
            examples = table.loc[table["identity"] == identity, "image"]
            yield Finding(True, f"identity in train and in {split}", examples.iloc[0], f"identity {identity}")
    for split, table in (("train", train), ("query", query)):
        for image in table.loc[table["identity"] <= DISTRACTOR, "image"]:
            yield Finding(True, f"junk or distractor in {split}", image)
    for table in (train, query, gallery):
        for image in table.loc[table["camera"] < 1, "image"]:
            yield Finding(True, "camera is not 1 or above", image)
    stems = train["image"].str.rsplit(".", n=1).str[0]
    for image in train.loc[stems.duplicated(), "image"]:
        yield Finding(True, "same name as another image but for the suffix: generated images would collide", image)
    sizes = train.groupby("identity")["image"].agg(["size", "first"])
    for image in sizes.loc[sizes["size"] == 1, "first"]:
        yield Finding(False, "the only image of its identity: no pair to train the generator on", image)


def _unmatched_queries(query: pd.DataFrame, gallery: pd.DataFrame) -> Iterable[Finding]:
    cameras = gallery.groupby("identity")["camera"].agg(set)
    for row in query.itertuples():
        if not cameras.get(row.identity, set()) - {row.camera}:
            yield Finding(False, "query without an image in another camera: counts as never found", str(row.image))


def _unreadable(table: pd.DataFrame, threads: int) -> list[Finding]:
    archives = {path: Archive(path) for path in table["archive"].unique()}

    def fault(row: tuple[str, str]) -> Finding | None:
        try:
            archives[row[0]].image(row[1])
        except ImageError as error:
            return Finding(True, "unreadable image", row[1], str(error).removeprefix(f"{row[0]}: {row[1]}: "))
        return None

    rows = list(zip(table["archive"], table["image"], strict=True))
    with ThreadPoolExecutor(threads) as pool:
        faults = list(progress(pool.map(fault, rows), "read images", "image", len(rows)))
    for archive in archives.values():
        archive.close()
    return [finding for finding in faults if finding is not None]
