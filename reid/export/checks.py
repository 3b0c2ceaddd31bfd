"""Checks of a data set in Market-1501's layout, ours or anybody's: what is wrong, and what other readers trip over."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import pandas as pd

from reid.common.errors import InputError
from reid.common.progress import progress
from reid.datasets import DATASETS
from reid.datasets.checks import find_faults
from reid.datasets.folders import IMAGE_SUFFIXES, SPLITS, Finding, roots
from reid.datasets.market1501 import FOLDERS
from reid.export import manifest
from reid.export.layout import LIMITS, NAMINGS, trap
from reid.export.provenance import by_manifest, by_names, load, manifests
from reid.export.shards import FOLDER, shard_faults
from reid.files.images import Archive, ImageError

IMAGE = "image"


def check(path: Path, threads: int = 4) -> tuple[pd.DataFrame, list[Finding]]:
    """Everything that is wrong with the images and manifests below a folder or in a zip.

    Returns:
        the images whose names can be read: columns image, identity, camera, split, sha256 (null where it cannot be
        read); and the findings.

    Raises:
        FileNotFoundError: no such file, or no folders bounding_box_train, query, bounding_box_test in it.
        InputError: neither a folder nor a readable zip, or several data sets in it.
    """
    with Archive(path) as archive:
        names = archive.names()
        sets = roots(names, FOLDERS)
        if len(sets) > 1:
            raise InputError(f"{path} holds {len(sets)} data sets: check {', '.join(sets)} one by one")
        style = _style(names)
        dataset = DATASETS[style](path)
        findings = find_faults(dataset, threads)
        tables = [dataset.tables[split].assign(split=split) for split in SPLITS]
        files = pd.concat(tables, ignore_index=True).drop_duplicates(IMAGE, ignore_index=True)
        files = files[[IMAGE, "identity", "camera", "split"]]
        files["sha256"] = _sums(archive, list(files[IMAGE]), threads)
        findings += _no_files(path)
        findings += _twice(names, files)
        findings += _traps(path, archive, files)
        findings += _skipped(files)
        findings += _beyond(files, style)
        findings += _leaks(files)
        findings += _provenance(archive, names, files)
    return files, findings


def _style(names: list[str]) -> str:
    """Whose names most files have."""
    own = {
        name: sum(pattern.fullmatch(PurePosixPath(file).name) is not None for file in names)
        for name, pattern in NAMINGS.items()
    }
    return max(own, key=lambda name: own[name])


def _sums(archive: Archive, images: list[str], threads: int) -> list[str | None]:
    """SHA-256 of each image; None where it cannot be read, which `find_faults` says."""

    def digest(image: str) -> str | None:
        try:
            return hashlib.sha256(archive.read(image)).hexdigest()
        except ImageError:
            return None

    with ThreadPoolExecutor(threads) as pool:
        return list(progress(pool.map(digest, images), "compare files", IMAGE, len(images)))


def _no_files(path: Path) -> Iterator[Finding]:
    """What is named like an image in a folder and is none: links to nowhere, folders, pipes."""
    for entry in sorted(path.rglob("*")):  # nothing where the path is a zip
        place = entry.relative_to(path)
        in_a_split = not set(place.parent.parts).isdisjoint(FOLDERS)
        if in_a_split and entry.suffix.lower() in IMAGE_SUFFIXES and not entry.is_file():
            what = "named like an image, but no file: torchreid would try to read it for ever"
            yield Finding(True, what, place.as_posix())


def _twice(names: list[str], files: pd.DataFrame) -> Iterator[Finding]:
    for name, count in Counter(names).items():
        if count > 1:
            yield Finding(True, "name occurs more than once in the zip", name, f"{count} times")
    first = dict[str, str]()
    for image in files[IMAGE]:
        known = first.setdefault(PurePosixPath(image).name, image)
        if known != image:
            yield Finding(False, "file name occurs more than once", image, f"also {known}")


def _traps(path: Path, archive: Archive, files: pd.DataFrame) -> Iterator[Finding]:
    """Folders above images that other libraries read labels from; where a zip lies does not matter."""
    for folder in sorted({PurePosixPath(image).parent for image in files[IMAGE]}):
        whole = PurePosixPath(path.resolve()) / folder if path.is_dir() else folder
        found = trap(whole)
        if found:
            detail = f"torchreid, fast-reid and others take {found} in it for the label of every image: rename it"
            yield Finding(True, "folder is named like an image", str(whole), detail)


def _skipped(files: pd.DataFrame) -> Iterator[Finding]:
    roots = files[IMAGE].map(lambda image: len(PurePosixPath(image).parts))
    for image, depth in zip(files[IMAGE], roots, strict=True):
        if PurePosixPath(image).suffix != ".jpg":
            yield Finding(False, "does not end in .jpg: torchreid, fast-reid and others leave it out silently", image)
        if depth > roots.min():
            yield Finding(False, "in a folder of its own: torchreid, fast-reid and others leave it out silently", image)


def _beyond(files: pd.DataFrame, style: str) -> Iterator[Finding]:
    """One finding for each identity and camera that other libraries' classes stop at."""
    for column, most in zip(("identity", "camera"), LIMITS[style], strict=True):
        for number, table in files[files[column] > most].groupby(column):
            what = f"{column} above {most}: the classes of torchreid, fast-reid and others stop with an AssertionError"
            yield Finding(False, what, table[IMAGE].iloc[0], f"{column} {number}, {len(table)} images")


def _leaks(files: pd.DataFrame) -> Iterator[Finding]:
    train = files[files["split"] == "train"].dropna(subset="sha256")
    first = dict[str, tuple[int, str]]()
    for sha256, identity, image in zip(train["sha256"], train["identity"], train[IMAGE], strict=True):
        known_as, known = first.setdefault(sha256, (identity, image))
        if known_as != identity:
            yield Finding(True, "the same file as an image of another identity", image, known)
    for row in files[files["split"] != "train"].itertuples():
        if row.sha256 in first:
            detail = first[str(row.sha256)][1]
            yield Finding(True, f"the same file in train and in {row.split}", str(row.image), detail)


def _provenance(archive: Archive, names: list[str], files: pd.DataFrame) -> Iterator[Finding]:
    found = manifests(names)
    read = list[tuple[str, pd.DataFrame]]()
    for name in found:
        try:
            read.append((name, load(archive, name)))
        except InputError as error:
            yield Finding(True, "damaged manifest", name, str(error))
    if not read:
        yield from by_names(files)
        return
    name, rows = read[0]
    yield from by_manifest(rows, files, set(names))
    shards = [file for file in names if PurePosixPath(file).parts[-2:-1] == (FOLDER,) and file.endswith(".tar")]
    if shards:
        yield from shard_faults(manifest.read(archive, name), ((file, archive.read(file)) for file in shards))
    for other, table in read[1:]:
        if not table.equals(rows):
            yield Finding(True, f"differs from {name}", other)
