"""DeepFashion In-shop, for training and testing generators: it has pairs of a person in the same clothes.

It has neither cameras nor queries: training people are the table `train`, test people the table `gallery`, everybody is
in camera 1, and the table `query` is empty. The Re-ID stages refuse it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pandas as pd

from reid.common.errors import InputError
from reid.datasets.deepfashion_names import annotated_name, fashion_name
from reid.datasets.folders import IMAGE_SUFFIXES, Dataset, Finding
from reid.files import samples
from reid.files.images import Archive
from reid.files.lists import lines

ANNOTATIONS = {"train": "annotation-train.csv", "gallery": "annotation-test.csv"}  # the ends of the files' names
PARTITION = "list_eval_partition.txt"
SPLIT_OF_STATUS = {"train": "train", "query": "gallery", "gallery": "gallery"}
SIZE = (256, 256)
COLUMNS = ("image", "split", "person", "article")


def read_deepfashion(path: str | Path) -> Dataset:
    """Read In-shop, with published paths or flat names (`reid.datasets.deepfashion_names`), from a folder or zip.

    The papers' split is that of the released files whose names end in `annotation-train.csv` and `annotation-test.csv`.
    Without them it is In-shop's own, from `list_eval_partition.txt`, where query and gallery images are for testing.
    The people of both splits, sorted, are the identities 1, 2, ...

    Raises:
        FileNotFoundError: there is no DeepFashion image, or neither kind of list.
        InputError: a list cannot be read.
    """
    return _read(path, disjoint=False)


def read_deepfashion_disjoint(path: str | Path) -> Dataset:
    """Read In-shop without the test images of items that are in train too, where they have another colour."""
    return _read(path, disjoint=True)


def _read(path: str | Path, disjoint: bool) -> Dataset:
    findings = list[Finding]()
    with Archive(path) as archive:
        images = _images(archive, findings)
        table = pd.DataFrame(_entries(archive, images, findings), columns=pd.Index(COLUMNS))
        identities = {person: number for number, person in enumerate(sorted(set(table["person"])), 1)}
        testing = table["split"] == "gallery"
        shared = testing & table["article"].isin(set(table.loc[~testing, "article"]))
        what = "item also in train: its test images are left out" if disjoint else "item also in train"
        for entry in table[shared].drop_duplicates("article").itertuples():
            findings.append(Finding(False, what, str(entry.image), f"item {entry.article}"))
        facts = {
            "test_items_also_in_train": int(table.loc[shared, "article"].nunique()),
            "test_images_of_these": int(shared.sum()),
            "test_images_left_out": int(shared.sum()) if disjoint else 0,
        }
        if disjoint:
            table = table[~shared]
        tables = {"query": samples.real_table([], archive.path.as_posix(), [], [])}
        for split in ANNOTATIONS:
            part = table[table["split"] == split]
            findings += _sizes(archive, list(part["image"])[:1])
            tables[split] = samples.real_table(
                list(part["image"]), archive.path.as_posix(), [identities[p] for p in part["person"]], [1] * len(part)
            )
    return Dataset(tables, findings, retrieval=False, facts=facts)


def _images(archive: Archive, findings: list[Finding]) -> dict[str, str]:
    """The path in the archive of each flat name."""
    images = dict[str, str]()
    for name in archive.names():
        if not name.lower().endswith(IMAGE_SUFFIXES):
            continue
        fashion = fashion_name(name)
        if fashion is None:
            findings.append(Finding(False, "not named like a DeepFashion image, left out", name))
        elif fashion.flat in images:
            findings.append(Finding(True, "the same image twice", name, f"also {images[fashion.flat]}: remove one"))
        else:
            images[fashion.flat] = name
    if not images:
        content = ", ".join(sorted({name.split("/")[0] for name in archive.names()})[:8])
        raise FileNotFoundError(
            f"{archive.path}: expected images such as img/WOMEN/Tees_Tanks/id_00003504/08_3_back.jpg or "
            f"fasionWOMENTeesTanksid0000350408_3back.jpg, found {content or 'nothing: it is empty'}; unpack In-shop's "
            "img.zip there, or set `dataset.path` in params.yaml"
        )
    return images


def _entries(archive: Archive, images: dict[str, str], findings: list[Finding]) -> list[tuple[object, ...]]:
    """The values of COLUMNS for each image that is listed and exists."""
    entries = list[tuple[object, ...]]()
    splits = dict[str, str]()
    for flat, split in _listed(archive):
        fashion = fashion_name(flat)
        if flat in splits:
            findings.append(Finding(True, f"listed twice, for {splits[flat]} and for {split}", flat))
        elif fashion is None or flat not in images:
            findings.append(Finding(True, "listed, but the file is missing", flat))
        else:
            splits[flat] = split
            entries.append((images[flat], split, fashion.person, fashion.article))
    findings += [Finding(False, "in no list, left out", name) for flat, name in images.items() if flat not in splits]
    return entries


def _listed(archive: Archive) -> Iterator[tuple[str, str]]:
    """(flat name, split) of each line of the lists."""
    files = {split: _only(archive, ending) for split, ending in ANNOTATIONS.items()}
    partition = _only(archive, PARTITION)
    missing = [ANNOTATIONS[split] for split, file in files.items() if file is None]
    if not missing:
        for split, file in files.items():
            for _, line in _lines(archive, str(file))[1:]:
                yield annotated_name(line.split(":")[0].strip()), split
    elif len(missing) == 1:
        raise InputError(f"{archive.path}: one of the two annotation files is missing: put *{missing[0]} there")
    elif partition is not None:
        yield from _partition(archive, partition)
    else:
        raise FileNotFoundError(
            f"{archive.path} does not say which images are for testing: expected *{ANNOTATIONS['train']} and "
            f"*{ANNOTATIONS['gallery']} (the released annotations) or {PARTITION} in it; put them there"
        )


def _partition(archive: Archive, file: str) -> Iterator[tuple[str, str]]:
    """(flat name, split) of each line of In-shop's own list: a count, a header, then lines of `image item status`."""
    for number, line in _lines(archive, file)[2:]:
        words = line.split()
        if len(words) != 3 or words[2] not in SPLIT_OF_STATUS:
            raise InputError(
                f"{archive.path}: {file}:{number}: expected `image item status` with a status of "
                f"{', '.join(SPLIT_OF_STATUS)}, got {line!r}"
            )
        yield annotated_name(words[0]), SPLIT_OF_STATUS[words[2]]


def _only(archive: Archive, ending: str) -> str | None:
    """The one file whose name ends so, or None; raises InputError where there are several."""
    files = [name for name in archive.names() if PurePosixPath(name).name.endswith(ending)]
    if len(files) > 1:
        raise InputError(f"{archive.path}: {len(files)} files end in {ending}: {', '.join(files)}; keep one")
    return files[0] if files else None


def _lines(archive: Archive, name: str) -> list[tuple[int, str]]:
    return lines(archive.read(name), f"{archive.path}: {name}")


def _sizes(archive: Archive, names: list[str]) -> Iterator[Finding]:
    """A finding for each image of another size than the papers'; unreadable ones are `find_faults`' business."""
    for name in names:
        try:
            size = archive.size(name)
        except (InputError, OSError):
            continue
        if size != SIZE:
            detail = f"{size[0]} x {size[1]}, would be distorted to fit; use img.zip, not img_highres.zip"
            yield Finding(False, "not 256 x 256", name, detail)
