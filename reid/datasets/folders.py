"""Reading folders of images whose file names say identity and camera."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pandas as pd

from reid.files import samples
from reid.files.images import Archive

SPLITS = ("train", "query", "gallery")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
SUFFIX = (r"(?i:\.(jpe?g|png|bmp|webp|tiff?))", f"one of {', '.join(IMAGE_SUFFIXES)}")  # the last part of a naming


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a data set.

    Args:
        fatal: an error that must be mended before the data set can be used; otherwise a warning.
        what: the kind of fault.
        where: the file or split at fault.
        detail: what exactly is wrong with it.
    """

    fatal: bool
    what: str
    where: str
    detail: str = ""


@dataclass(frozen=True)
class Naming:
    """How the file names of a data set say identity and camera.

    Args:
        example: of a file name.
        parts: of the names, in order: a pattern of each, those of two with the groups `identity` and `camera`, and what
            it is, in words.
    """

    example: str
    parts: tuple[tuple[str, str], ...]

    def match(self, name: str) -> re.Match[str] | None:
        """The parts of a name; None where it does not follow the naming."""
        return re.fullmatch("".join(pattern for pattern, _ in self.parts), name)

    def broken(self, name: str) -> str:
        """Which part a name that does not follow the naming lacks, in words."""
        last, whole = 0, ""
        for pattern, what in self.parts:
            whole += pattern
            found = re.match(whole, name)
            if found is None:
                return f"expected {what} where it has {name[last:][:20] or 'nothing'!r}"
            last = found.end()
        return f"has {name[last:][:20]!r} too much"


@dataclass
class Dataset:
    """A Re-ID data set as sample tables.

    Args:
        tables: sample table of each of SPLITS.
        findings: faults that the reader noticed; `reid.datasets.checks` finds the rest.
        retrieval: whether it has queries and cameras; without them it is for generators only, and `query` is empty.
        facts: further counts for the summary, by name.
        pool: sample table of the images that multi-query evaluation pools; None where the data set has none for it.
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    retrieval: bool = True
    facts: dict[str, int] = field(default_factory=dict)
    pool: pd.DataFrame | None = None


def read_images(archive: Archive, prefix: str, naming: Naming, findings: list[Finding]) -> pd.DataFrame:
    """The sample table of the images below a folder.

    Args:
        archive: the archive that holds the folder.
        prefix: the folder's path inside the archive, ending in `/`.
        naming: of the files.
        findings: is extended by an error for each image whose name does not match, a warning for each other file.
    """
    images, identities, cameras = list[str](), list[int](), list[int]()
    for name in archive.names():
        if not name.startswith(prefix):
            continue
        if not name.lower().endswith(IMAGE_SUFFIXES):
            findings.append(Finding(False, "not an image, left out", name))
            continue
        file = PurePosixPath(name).name
        match = naming.match(file)
        if match is None:
            what = (
                f"file name does not say identity and camera as {naming.example} does; rename or remove it, or list "
                "the images in a table (docs/datasets.md)"
            )
            findings.append(Finding(True, what, name, naming.broken(file)))
            continue
        images.append(name)
        identities.append(int(match["identity"]))
        cameras.append(int(match["camera"]))
    return samples.real_table(images, archive.path.as_posix(), identities, cameras)


def roots(names: Iterable[str], folders: Sequence[str]) -> list[str]:
    """Where all the folders lie side by side, each with files in it: what stands before their names, uppermost first.

    Example:
        >>> roots(["a/train/1.jpg", "a/test/2.jpg", "train/3.jpg", "notes.txt"], ["train", "test"])
        ['a/']
    """
    holders = _holders(names)
    firsts = [f for f in holders if f.name == folders[0] and all(f.with_name(other) in holders for other in folders)]
    return [_prefix(folder) for folder in sorted(firsts, key=lambda folder: (len(folder.parts), folder))]


def find_root(archive: Archive, folders: Sequence[str]) -> str:
    """The first of `roots`; raises FileNotFoundError, which says what the archive holds instead."""
    names = archive.names()
    if places := roots(names, folders):
        return places[0]
    holders = _holders(names)
    present = sorted(folder for folder in holders if folder.name in folders)
    if present:
        missing = [name for name in folders if present[0].with_name(name) not in holders]
        content = f"no files that can be read in {' and '.join(_prefix(present[0]) + name for name in missing)}"
    else:
        content = ", ".join(sorted({name.split("/")[0] for name in names})[:8]) or "nothing: it is empty"
    raise FileNotFoundError(
        f"{archive.path}: expected the folders {', '.join(folders)} with images in each, found {content}; unpack or "
        "copy the data set there, or give another path (`dataset.path` in params.yaml)"
    )


def _holders(names: Iterable[str]) -> set[PurePosixPath]:
    """All folders that hold a file, directly or further below."""
    return {parent for name in names for parent in PurePosixPath(name).parents}


def _prefix(folder: PurePosixPath) -> str:
    """What stands before a folder's name in its path."""
    return "" if len(folder.parts) == 1 else f"{folder.parent}/"
