"""Checks of any data set in Market-1501's layout: faults, and what other Re-ID libraries would fail on or skip."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pandas as pd

from reid.common.debris import is_debris
from reid.common.errors import InputError
from reid.common.progress import progress
from reid.datasets import DATASETS
from reid.datasets.checks import find_faults
from reid.datasets.folders import IMAGE_SUFFIXES, SPLITS, Finding, roots
from reid.datasets.market1501 import FOLDERS
from reid.export import manifest
from reid.export.hugging_face import FOLDER as EMBEDDED
from reid.export.hugging_face import LABELS, table_faults
from reid.export.layout import LIMITS, NAMINGS, trap
from reid.export.provenance import by_manifest, by_names, load, manifests
from reid.export.shards import FOLDER, shard_faults
from reid.files.images import Archive, ImageError

IMAGE = "image"


def check(path: Path) -> tuple[pd.DataFrame, list[Finding]]:
    """Check the images and manifests below a folder or in a zip.

    Returns:
        the images whose names can be read, with columns image, identity, camera, split, sha256 (null where the image
        cannot be read); and the findings.

    Raises:
        FileNotFoundError: the path does not exist, or has no folders bounding_box_train, query, bounding_box_test.
        InputError: it is neither a folder nor a readable zip, or holds several data sets.
    """
    with Archive(path) as archive:
        names = archive.names()
        sets = roots(names, FOLDERS)
        if len(sets) > 1:
            raise InputError(f"{path} holds {len(sets)} data sets: check {', '.join(sets)} one by one")
        style = _style(names)
        dataset = DATASETS[style](path)
        findings = find_faults(dataset, leaks_are_fatal=True)
        findings += _left_behind(archive)
        tables = [dataset.tables[split].assign(split=split) for split in SPLITS]
        files = pd.concat(tables, ignore_index=True).drop_duplicates(IMAGE, ignore_index=True)
        files = files[[IMAGE, "identity", "camera", "split"]]
        files["sha256"] = _sums(archive, list(files[IMAGE]))
        findings += _not_files(path)
        findings += [
            Finding(True, "leads out of the folder that it is unpacked to; unpack none of it", name)
            for name in archive.names(debris=True)
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts
        ]
        findings += _duplicate_names(names, files)
        findings += _misread(files, style)
        findings += _traps(path, files)
        findings += _skipped(files)
        findings += _beyond_limits(files, style)
        findings += _provenance(archive, names, files)
    return files, findings


def _style(names: list[str]) -> str:
    """The data set, of NAMINGS, whose naming most files follow."""
    matches = {
        name: sum(pattern.fullmatch(PurePosixPath(file).name) is not None for file in names)
        for name, pattern in NAMINGS.items()
    }
    return max(matches, key=lambda name: matches[name])


def _sums(archive: Archive, images: list[str]) -> list[str | None]:
    """SHA-256 of each image; None where it cannot be read, which is a finding of `find_faults`."""

    def digest(image: str) -> str | None:
        try:
            return hashlib.sha256(archive.read(image)).hexdigest()
        except ImageError:
            return None

    return [digest(image) for image in progress(images, "compare files", IMAGE)]


def _not_files(path: Path) -> Iterator[Finding]:
    """What is named like an image but is no file: broken links, folders, pipes; a zip has none of these."""
    for entry in sorted(path.rglob("*")):
        relative = entry.relative_to(path)
        in_a_split = not set(relative.parent.parts).isdisjoint(FOLDERS)
        if in_a_split and entry.suffix.lower() in IMAGE_SUFFIXES and not entry.is_file():
            what = "named like an image, but not a file: torchreid would try to read it endlessly"
            yield Finding(True, what, relative.as_posix())


def _left_behind(archive: Archive) -> Iterator[Finding]:
    """Debris that is named like an image: it is not read here, but by libraries that list folders themselves."""
    for name in archive.names(debris=True):
        if is_debris(name) and PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES:
            yield Finding(False, "left behind by a system, and read by Person_reID_baseline_pytorch: delete it", name)


def _duplicate_names(names: list[str], files: pd.DataFrame) -> Iterator[Finding]:
    for name, count in Counter(names).items():
        if count > 1:
            yield Finding(True, "name occurs more than once in the zip", name, f"{count} times")
    first = dict[str, str]()
    for image in files[IMAGE]:
        earlier = first.setdefault(PurePosixPath(image).name, image)
        if earlier != image:
            yield Finding(False, "file name occurs more than once", image, f"also {earlier}")


def _traps(path: Path, files: pd.DataFrame) -> Iterator[Finding]:
    """Folders in whose paths other libraries would find identity and camera; a zip's own path does not matter."""
    for folder in sorted({PurePosixPath(image).parent for image in files[IMAGE]}):
        whole = PurePosixPath(path.resolve()) / folder if path.is_dir() else folder
        label = trap(whole)
        if label:
            detail = f"torchreid, fast-reid and others take {label} in it for the label of every image: rename it"
            yield Finding(True, "folder is named like an image", str(whole), detail)


def _misread(files: pd.DataFrame, style: str) -> Iterator[Finding]:
    """Images whose names this project reads, and other libraries otherwise or not at all."""
    for image in files[IMAGE]:
        if not NAMINGS[style].fullmatch(PurePosixPath(image).name):
            what = "file name that other libraries would misread or skip: more digits or another suffix than published"
            yield Finding(True, what, image)


def _skipped(files: pd.DataFrame) -> Iterator[Finding]:
    """Images that other libraries do not look for."""
    depths = files[IMAGE].map(lambda image: len(PurePosixPath(image).parts))
    for image, depth in zip(files[IMAGE], depths, strict=True):
        if PurePosixPath(image).suffix != ".jpg":
            yield Finding(False, "does not end in .jpg: torchreid, fast-reid and others skip it silently", image)
        if depth > depths.min():
            yield Finding(False, "in a subfolder: torchreid, fast-reid and others skip it silently", image)


def _beyond_limits(files: pd.DataFrame, style: str) -> Iterator[Finding]:
    """One finding for each identity and camera that the data set classes of other libraries do not allow."""
    for column, most in zip(("identity", "camera"), LIMITS[style], strict=True):
        for number, table in files[files[column] > most].groupby(column):
            what = f"{column} above {most}: the readers of torchreid, fast-reid and others stop with an AssertionError"
            yield Finding(False, what, table[IMAGE].iloc[0], f"{column} {number}, {len(table)} images")


def _provenance(archive: Archive, names: list[str], files: pd.DataFrame) -> Iterator[Finding]:
    loaded = list[tuple[str, pd.DataFrame]]()
    for name in manifests(names):
        try:
            loaded.append((name, load(archive, name)))
        except InputError as error:
            yield Finding(True, "damaged manifest", name, str(error))
    if not loaded:
        yield from by_names(files)
        return
    name, entries = loaded[0]
    yield from by_manifest(entries, files, set(names))
    written = manifest.read(archive, name)
    shards = [file for file in names if PurePosixPath(file).parts[-2:-1] == (FOLDER,) and file.endswith(".tar")]
    if shards:
        yield from shard_faults(written, ((file, archive.read(file)) for file in shards))
    above = name.removesuffix(PurePosixPath(name).name)
    labels = [above + table for table in LABELS.values() if above + table in names]
    embedded = [file for file in names if file.startswith(f"{above}{EMBEDDED}/") and file.endswith(".parquet")]
    for tables in (labels, embedded):
        if tables:
            yield from table_faults(written, ((file, archive.read(file)) for file in tables))
    for other, table in loaded[1:]:
        if not table.equals(entries):
            yield Finding(True, f"differs from {name}", other)
