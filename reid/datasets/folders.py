"""Reading folders of images whose names carry identity and camera."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pandas as pd

from reid.files import samples
from reid.files.images import Archive

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
            hint = "; macOS makes such files: delete them" if PurePosixPath(name).name.startswith("._") else ""
            findings.append(Finding(True, f"file name does not follow {pattern.pattern}{hint}", name))
            continue
        images.append(name)
        identities.append(int(match["identity"]))
        cameras.append(int(match["camera"]))
    return samples.real_table(images, archive.path.as_posix(), identities, cameras)


def roots(names: Iterable[str], folders: Sequence[str]) -> list[str]:
    """Where all the folders lie side by side, each with files in it: '' or `some/folder/`, uppermost first."""
    holders = _holders(names)
    found = [f for f in holders if f.name == folders[0] and all(f.with_name(other) in holders for other in folders)]
    return [_prefix(folder) for folder in sorted(found, key=lambda folder: (len(folder.parts), folder))]


def find_root(archive: Archive, folders: Sequence[str]) -> str:
    """The first of `roots`; raises FileNotFoundError saying what is there instead."""
    names = archive.names()
    if found := roots(names, folders):
        return found[0]
    holders = _holders(names)
    some = sorted(folder for folder in holders if folder.name in folders)
    if some:
        missing = [name for name in folders if some[0].with_name(name) not in holders]
        there = f"no files that can be read in {' and '.join(_prefix(some[0]) + name for name in missing)}"
    else:
        there = ", ".join(sorted({name.split("/")[0] for name in names})[:8]) or "nothing: it is empty"
    raise FileNotFoundError(
        f"{archive.path}: expected the folders {', '.join(folders)} with images in each, found {there}; unpack or copy "
        "the data set there, or give another path (`dataset.path` in params.yaml)"
    )


def _holders(names: Iterable[str]) -> set[PurePosixPath]:
    return {parent for name in names for parent in PurePosixPath(name).parents}


def _prefix(folder: PurePosixPath) -> str:
    return "" if len(folder.parts) == 1 else f"{folder.parent}/"
