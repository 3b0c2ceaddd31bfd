"""The published annotation files of OpenPose joints: `name:keypoints_y:keypoints_x`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from augment.poses.pose import Pose
from reid.common.errors import InputError
from reid.datasets.deepfashion_names import annotated_name

HEADER = "name:keypoints_y:keypoints_x"
MISSING = -1  # in both lists, for a joint that was not detected


class Annotations:
    """Reads one or more annotation files; images are found by file name, DeepFashion's by their flat name.

    A row is `0002_c1s1_000451_03.jpg: [12, ...]: [30, ...]`: 18 rows (y), then 18 columns (x), in pixels, -1 for a
    joint that was not detected. The files call the eyes and ears by the other side's names; that only swaps two labels.
    """

    def __init__(
        self,
        files: Sequence[str] = ("data/raw/annotation-train.csv", "data/raw/annotation-test.csv"),
    ):
        self.files = tuple(Path(file) for file in files)

    def estimate(self, table: pd.DataFrame) -> Pose:
        """Poses (N, 18); raises FileNotFoundError, or InputError naming images that no file has."""
        known = {annotated_name(name): pose for file in self.files for name, pose in read_annotations(file).items()}
        names = [annotated_name(image) for image in table["image"]]
        missing = [name for name in names if name not in known]
        if missing:
            files = ", ".join(map(str, self.files))
            raise InputError(f"{files}: no annotation of {len(missing)} images, e.g. {missing[0]}")
        return Pose(
            torch.stack([known[name].joints for name in names]), torch.stack([known[name].visible for name in names])
        )


def read_annotations(path: Path) -> dict[str, Pose]:
    """Pose (18,) of each file name; raises InputError naming file and line where a row cannot be read."""
    if not path.exists():
        raise FileNotFoundError(
            f"{path} does not exist: put the published annotation file there, or set pose.annotations.files"
        )
    lines = path.read_text().splitlines()
    if not lines or lines[0].replace(" ", "") != HEADER:
        raise InputError(f"{path}:1: expected the header {HEADER}, got {lines[0] if lines else 'an empty file'}")
    poses = {}
    for number, line in enumerate(lines[1:], 2):
        try:
            name, rows, columns = line.split(":")
            y, x = (np.array(json.loads(values), np.float32) for values in (rows, columns))
            joints = torch.from_numpy(np.stack([x, y], 1))
            visible = (joints != MISSING).all(1)
            poses[name.strip()] = Pose(torch.where(visible[:, None], joints, 0.0), visible)
        except ValueError as error:
            raise InputError(f"{path}:{number}: expected `name: [18 rows]: [18 columns]`: {error}") from error
    return poses


def write_annotations(names: Sequence[str], pose: Pose, path: Path) -> None:
    """Write poses (N, 18) of N file names in the published form; coordinates are cut to whole pixels, as there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = torch.where(pose.visible[..., None], pose.joints, MISSING).int()
    rows = [
        f"{name}: {json.dumps(joints[:, 1].tolist())}: {json.dumps(joints[:, 0].tolist())}"
        for name, joints in zip(names, whole, strict=True)
    ]
    path.write_text("\n".join([HEADER, *rows]) + "\n")
