"""Checks of where generated images come from: by the manifest, or without one by the images' names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

import pandas as pd

from reid.datasets.folders import Finding
from reid.export import manifest
from reid.export.layout import GENERATED
from reid.files.images import Archive, without_suffix
from reid.files.samples import REAL, is_of_bank, join_names, split_names

IMAGES = ("image", "source", "pose_of")  # columns of the manifest that name an image


def manifests(names: list[str]) -> list[str]:
    """Paths of the manifests in the uppermost folder that has any, the Parquet first."""
    paths = [name for name in names if PurePosixPath(name).name in (manifest.PARQUET, manifest.CSV)]
    depth = min((name.count("/") for name in paths), default=0)
    return sorted((name for name in paths if name.count("/") == depth), reverse=True)


def load(archive: Archive, name: str) -> pd.DataFrame:
    """A manifest, its images named by their paths in the archive; raises InputError where it is damaged."""
    entries = manifest.read(archive, name)
    above = name.removesuffix(PurePosixPath(name).name)
    further = [join_names(above + name for name in split_names(joined)) for joined in entries["further_sources"]]
    named = {
        column: (above + entries[column]).where(~entries[column].map(is_of_bank), entries[column]) for column in IMAGES
    }
    return entries.assign(**named, further_sources=further)


def by_names(files: pd.DataFrame) -> Iterator[Finding]:
    """Findings on generated images of a set without a manifest.

    Args:
        files: columns image, split, identity, camera, sha256.
    """
    names = files["image"].map(lambda image: without_suffix(PurePosixPath(image).name))
    stems = dict(zip(names, files["split"], strict=True))
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
            False, "missing: how images were generated is not known", manifest.PARQUET, f"{generated} generated images"
        )


def by_manifest(rows: pd.DataFrame, files: pd.DataFrame, names: set[str]) -> Iterator[Finding]:
    """Findings on a manifest and the files that it lists.

    Args:
        rows: the manifest's entries, as `load` returns them.
        files: columns image, split, identity, camera, sha256.
        names: paths of all files in the archive, also of those whose identity and camera cannot be read.
    """
    for image in rows.loc[rows["image"].duplicated(), "image"]:
        yield Finding(True, "listed more than once in the manifest", image)
    rows = rows.drop_duplicates("image")
    for image in rows.loc[~rows["image"].isin(names), "image"]:
        yield Finding(True, "in the manifest, but the file is missing", image)
    for image in files.loc[~files["image"].isin(rows["image"]), "image"]:
        yield Finding(True, "not in the manifest", image)
    both = rows.merge(files, on="image", suffixes=("", "_of_file"))
    for column in ("sha256", "split", "identity", "camera"):
        of_file = both[f"{column}_of_file"]
        differing = both[of_file.notna() & (of_file != both[column])]
        for image, listed, actual in zip(
            differing["image"], differing[column], differing[f"{column}_of_file"], strict=True
        ):
            yield Finding(True, f"{column} differs from the manifest's", image, f"manifest {listed}, file {actual}")
    yield from _sources(rows)


def _sources(manifest_entries: pd.DataFrame) -> Iterator[Finding]:
    """Findings on sources and poses: generated images are for training, and made from training images alone."""
    entries = {entry["image"]: entry for entry in manifest_entries.to_dict("records")}
    for image, entry in entries.items():
        if entry["origin"] == REAL:
            if GENERATED.fullmatch(PurePosixPath(image).name):
                yield Finding(True, "named like a generated image, real in the manifest", image)
            continue
        if entry["split"] != "train":
            yield Finding(True, f"generated image in {entry['split']}", image)
        source = entries.get(entry["source"])
        if source is None:
            named = entry["source"] if pd.notna(entry["source"]) else "none is named"
            yield Finding(True, "its source is not in the manifest", image, str(named))
            continue
        for column in ("identity", "camera"):
            if entry[column] != source[column]:
                detail = f"{entry[column]}, and {source[column]} of {entry['source']}"
                yield Finding(True, f"{column} differs from its source's", image, detail)
        if source["split"] != "train" and entry["split"] == "train":
            yield Finding(True, f"generated from an image of {source['split']}", image, str(entry["source"]))
        for name in split_names(entry["further_sources"]):
            further = entries.get(name)
            if further is None:
                yield Finding(True, "a further source is not in the manifest", image, name)
            elif further["split"] != "train":
                yield Finding(True, f"generated from an image of {further['split']}", image, name)
            elif further["identity"] != entry["identity"]:
                yield Finding(True, "identity differs from a further source's", image, name)
        pose = entries.get(entry["pose_of"])
        if pose is None and pd.notna(entry["pose_of"]) and not is_of_bank(entry["pose_of"]):
            yield Finding(True, "the image of its pose is not in the manifest", image, str(entry["pose_of"]))
        elif pose is not None and pose["split"] != "train":
            yield Finding(True, f"generated in the pose of an image of {pose['split']}", image, str(entry["pose_of"]))
