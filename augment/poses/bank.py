"""A pose bank: poses of any people, of other data sets too, to draw people in.

It is a table of poses of the project (`augment.poses.table`), as another run of it has in data/poses, or a published
annotation file (`augment.poses.annotation_files`), for which somebody has to say how large its images are.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from augment.poses import table
from augment.poses.annotation_files import read_annotations
from augment.poses.pose import Pose
from reid.common.errors import InputError
from reid.files.samples import of_bank

REMEDY = "give another pose bank: a table of poses (.parquet), or a published annotation file"


class Bank(NamedTuple):
    """Usable poses."""

    names: list[str]  # P, as in the column `pose_of` of sample tables
    poses: Pose  # (P, 18) in pixels of the images to draw


def present(path: Path) -> Path:
    """The path, if there is such a file; raises FileNotFoundError."""
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: {REMEDY}")
    return path


def read(
    path: Path, size: tuple[int, int], usable: Callable[[Pose], Tensor], stored: tuple[int, int] | None = None
) -> Bank:
    """Read a pose bank, sorted by name.

    Args:
        path: of a table, which ends in `.parquet`, or of an annotation file.
        size: (H, W) of the images to draw, to which the poses are scaled.
        usable: which of the poses (N, 18) are kept, (N,) bool: those in which a method can draw a person.
        stored: (H, W) of the images that an annotation file is about, all alike; None: as `size`.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: the file cannot be read, has no usable pose, or is a table, which has its images' sizes in it, and
            `stored` is given too.
    """
    present(path)
    if path.suffix == ".parquet":
        if stored is not None:
            raise InputError(
                f"{path} says how large its images are: leave out the size {list(stored)} of the pose bank"
            )
        names, poses = table.read_all(path, size, REMEDY)
    else:
        found = dict(sorted(read_annotations(path).items()))
        if not found:
            raise InputError(f"{path} has no poses: {REMEDY}")
        names = list(found)
        joints, visible = (
            torch.stack([getattr(pose, part) for pose in found.values()]) for part in ("joints", "visible")
        )
        poses = Pose(joints, visible).scaled([stored or size] * len(names), size)
    kept = usable(poses)
    if not kept.any():
        raise InputError(f"{path}: none of {len(names):,} poses can be drawn, they lack joints: {REMEDY}")
    return Bank([of_bank(name) for name, keep in zip(names, kept.tolist(), strict=True) if keep], poses[kept])
