"""Reading folders of images whose names carry identity and camera."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pandas as pd

from reid import samples
from reid.images import Archive

SPLITS = ("train", "query", "gallery")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Finding:
    """Something wrong with a data set.

    Args:
        fatal: whether it must be mended before going on.
        what: the kind of finding.
        where: the file or split that it was found at.
        detail: what exactly is wrong there.
    """

    fatal: bool
    what: str
    where: str
    detail: str = ""


@dataclass
class Dataset:
    """A Re-ID data set as sample tables.

    Args:
        tables: sample table of each of SPLITS.
        findings: what was wrong while reading; `reid.datasets.checks` finds the rest.
        retrieval: whether it has queries and cameras; without, it is for generators only and `query` is empty.
        facts: counts that the summary says beside those of the splits.
        pool: sample table of the images that multi-query evaluation pools; None where the data set has none of its own.
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    retrieval: bool = True
    facts: dict[str, int] = field(default_factory=dict)
    pool: pd.DataFrame | None = None


def read_images(archive: Archive, prefix: str, pattern: re.Pattern[str], findings: list[Finding]) -> pd.DataFrame:
    """The table of the images below a folder.

    Args:
        archive: what holds the folder.
        prefix: the folder's path inside the archive, ending in `/`.
        pattern: matches a file name; groups `identity` and `camera`.
        findings: gets a fatal one for each image whose name does not match, another for each file that is no image.
    """
    images, identities, cameras = list[str](), list[int](), list[int]()
    for name in archive.names():
        if not name.startswith(prefix):
            continue
        if not name.lower().endswith(IMAGE_SUFFIXES):
            findings.append(Finding(False, "not an image, left out", name))
            continue
        match = pattern.fullmatch(PurePosixPath(name).name)
        if match is None:
            findings.append(Finding(True, f"file name does not follow {pattern.pattern}", name))
            continue
        images.append(name)
        identities.append(int(match["identity"]))
        cameras.append(int(match["camera"]))
    return samples.real_table(images, archive.path.as_posix(), identities, cameras)


def find_root(archive: Archive, folders: Sequence[str]) -> str:
    """Where in the archive the folders are: '' or `some/folder/`; raises FileNotFoundError saying what is there."""
    holders = {parent for name in archive.names() for parent in PurePosixPath(name).parents}
    for folder in sorted(holders, key=lambda folder: (len(folder.parts), folder)):
        if folder.name == folders[0] and all(folder.with_name(other) in holders for other in folders):
            return "" if len(folder.parts) == 1 else f"{folder.parent}/"
    found = ", ".join(sorted({name.split("/")[0] for name in archive.names()})[:8])
    raise FileNotFoundError(
        f"{archive.path}: expected the folders {', '.join(folders)} with images in each, found "
        f"{found or 'nothing: it is empty'}; unpack or copy the data set there, or set `dataset.path` in params.yaml"
    )
