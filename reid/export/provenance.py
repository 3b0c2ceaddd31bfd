"""Checks of where images come from: by the manifest, or, where there is none, by the names of generated images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

import pandas as pd

from reid.datasets.folders import Finding
from reid.export import manifest
from reid.export.layout import GENERATED
from reid.files.images import Archive
from reid.files.samples import REAL

IMAGES = ("image", "source", "pose_of")  # columns that name one


def manifests(names: list[str]) -> list[str]:
    """Paths of the manifests among the files, the Parquet first: those in the uppermost folder that has any."""
    found = [name for name in names if PurePosixPath(name).name in (manifest.PARQUET, manifest.CSV)]
    depth = min((name.count("/") for name in found), default=0)
    return sorted((name for name in found if name.count("/") == depth), reverse=True)


def load(archive: Archive, name: str) -> pd.DataFrame:
    """A manifest whose images are named by their paths in the archive; raises InputError where it is damaged."""
    rows = manifest.read(archive, name)
    above = name.removesuffix(PurePosixPath(name).name)
    return rows.assign(**{column: above + rows[column] for column in IMAGES})


def by_names(files: pd.DataFrame) -> Iterator[Finding]:
    """Findings on generated images of a set without a manifest.

    Args:
        files: columns image, split, identity, camera, sha256.
    """
    stems = {PurePosixPath(image).stem: split for image, split in zip(files["image"], files["split"], strict=True)}
    generated = 0
    for image, split in zip(files["image"], files["split"], strict=True):
        match = GENERATED.fullmatch(PurePosixPath(image).name)
        if not match:
            continue
        generated += 1
        source = stems.get(match["source"])
        if split != "train":
            yield Finding(True, f"generated image in {split}", image)
        elif source is None:
            yield Finding(False, "its source is not in the set", image, match["source"])
        elif source != "train":
            yield Finding(True, f"generated from an image of {source}", image, match["source"])
    if generated:
        yield Finding(
            False, "there is none: how images were generated is not known", manifest.PARQUET, f"{generated} generated"
        )


def by_manifest(rows: pd.DataFrame, files: pd.DataFrame, names: set[str]) -> Iterator[Finding]:
    """Findings on a manifest and the files that it is about.

    Args:
        rows: what `load` gives.
        files: columns image, split, identity, camera, sha256.
        names: of all files of the archive, those without a readable name too.
    """
    for image in rows.loc[rows["image"].duplicated(), "image"]:
        yield Finding(True, "more than one row in the manifest", image)
    rows = rows.drop_duplicates("image")
    for image in rows.loc[~rows["image"].isin(names), "image"]:
        yield Finding(True, "in the manifest, but not there", image)
    for image in files.loc[~files["image"].isin(rows["image"]), "image"]:
        yield Finding(True, "not in the manifest", image)
    both = rows.merge(files, on="image", suffixes=("", "_found"))
    for column in ("sha256", "split", "identity", "camera"):
        found = both[f"{column}_found"]
        for row in both[found.notna() & (found != both[column])].to_dict("records"):
            detail = f"manifest {row[column]}, file {row[f'{column}_found']}"
            yield Finding(True, f"{column} is not the manifest's", str(row["image"]), detail)
    yield from _sources(rows)


def _sources(rows: pd.DataFrame) -> Iterator[Finding]:
    known = {row["image"]: row for row in rows.to_dict("records")}
    for image, row in known.items():
        if row["origin"] == REAL:
            if GENERATED.fullmatch(PurePosixPath(image).name):
                yield Finding(True, "named like a generated image, real in the manifest", image)
            continue
        if row["split"] != "train":
            yield Finding(True, f"generated image in {row['split']}", image)
        source = known.get(row["source"])
        if source is None:
            named = row["source"] if pd.notna(row["source"]) else "none is named"
            yield Finding(True, "its source is not in the manifest", image, str(named))
            continue
        for column in ("identity", "camera"):
            if row[column] != source[column]:
                detail = f"{row[column]}, and {source[column]} of {row['source']}"
                yield Finding(True, f"{column} differs from its source's", image, detail)
        if source["split"] != "train" and row["split"] == "train":
            yield Finding(True, f"generated from an image of {source['split']}", image, str(row["source"]))
        pose = known.get(row["pose_of"])
        if pose is None and pd.notna(row["pose_of"]):
            yield Finding(True, "the image of its pose is not in the manifest", image, str(row["pose_of"]))
        elif pose is not None and pose["split"] != "train":
            yield Finding(True, f"generated in the pose of an image of {pose['split']}", image, str(row["pose_of"]))
