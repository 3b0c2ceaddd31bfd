"""Poses on disk: a Parquet table that has, for each image, its size in pixels and x, y and visible of each joint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from augment.poses.pose import JOINTS, Pose
from reid.common.errors import InputError
from reid.files.samples import write_parquet
from reid.files.tables import parquet, typed

AGAIN = "run `python -m pipelines estimate-poses` (or `dvc repro`) again"
OF_JOINT = {"x": "float32", "y": "float32", "visible": "bool"}
TYPES = {f"{joint}_{value}": kind for joint in JOINTS for value, kind in OF_JOINT.items()}
COLUMNS = ("image", "height", "width", *TYPES)


def write(images: Sequence[str], sizes: Sequence[tuple[int, int]], pose: Pose, path: Path) -> None:
    """Write the poses (N, 18) of N images, in pixels of images of these sizes (H, W), as Parquet."""
    heights, widths = zip(*sizes, strict=True)
    columns: dict[str, object] = {"image": list(images), "height": heights, "width": widths}
    for index, joint in enumerate(JOINTS):
        columns[f"{joint}_x"] = pose.joints[:, index, 0].numpy()
        columns[f"{joint}_y"] = pose.joints[:, index, 1].numpy()
        columns[f"{joint}_visible"] = pose.visible[:, index].numpy()
    write_parquet(pd.DataFrame(columns), path)


def read(path: Path, images: Sequence[str], size: tuple[int, int]) -> Pose:
    """Poses (N, 18) of the given images, in their order.

    Args:
        path: of the table.
        images: names of the N images.
        size: (H, W) that the images are resized to; the poses are in pixels of that size.

    Raises:
        FileNotFoundError: there is no such table.
        InputError: the table lacks an image, or has one twice.
    """
    table = _checked(path, AGAIN)
    missing = [image for image in images if image not in table.index]
    if missing:
        raise InputError(
            f"{path}: expected a pose of each image, {len(missing)} of {len(images)} have none, e.g. {missing[0]}: "
            f"{AGAIN}"
        )
    return _poses(table.loc[list(images)], path, size, AGAIN)


def read_all(path: Path, size: tuple[int, int], remedy: str) -> tuple[list[str], Pose]:
    """All images of a table, sorted, and their poses (N, 18); arguments and errors as of `read`.

    Args:
        path: of the table.
        size: as there.
        remedy: what to do where it is missing or damaged.
    """
    table = _checked(path, remedy).sort_index()
    if table.empty:
        raise InputError(f"{path} has no poses: {remedy}")
    return list(table.index), _poses(table, path, size, remedy)


def _checked(path: Path, remedy: str) -> pd.DataFrame:
    """The table on disk, by image."""
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: {remedy}")
    table = parquet(path, str(path), remedy, COLUMNS).set_index("image")
    if table.index.has_duplicates:
        twice = table.index[table.index.duplicated()][0]
        raise InputError(f"{path}: expected one pose of each image, {twice} has several: {remedy}")
    return table


def _poses(table: pd.DataFrame, path: Path, size: tuple[int, int], remedy: str) -> Pose:
    """The poses (N, 18) of N entries, in pixels of images of a size (H, W)."""
    table = typed(table, TYPES, str(path), remedy)
    if not np.isfinite(table[list(TYPES)].to_numpy(float)).all():
        raise InputError(f"{path}: a coordinate is not finite: {remedy}")
    joints = [torch.from_numpy(table[[f"{joint}_x", f"{joint}_y"]].to_numpy("float32", copy=True)) for joint in JOINTS]
    visible = torch.from_numpy(table[[f"{joint}_visible" for joint in JOINTS]].to_numpy(bool, copy=True))
    sizes = list(zip(table["height"], table["width"], strict=True))
    return Pose(torch.stack(joints, 1), visible).scaled(sizes, size)
