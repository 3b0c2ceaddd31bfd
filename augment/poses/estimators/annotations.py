"""The published annotation files of OpenPose joints: `name:keypoints_y:keypoints_x`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import torch
from pydantic import Field

from augment.poses.pose import Pose
from reid.common import atomic
from reid.common.errors import InputError
from reid.datasets.deepfashion_names import annotated_name
from reid.files.lists import lines

HEADER = "name:keypoints_y:keypoints_x"
MISSING = -1  # in both lists, for a joint that was not detected


class Annotations:
    """Reads poses from one or more annotation files, by file name; DeepFashion's by the flat name that they use.

    A line is `0002_c1s1_000451_03.jpg: [12, ...]: [30, ...]`: y of the 18 joints, then x, in pixels, -1 for a joint
    that was not detected. The files name right and left of eyes and ears the other way round, which is harmless: the
    head's joints are only used as a set.
    """

    def __init__(
        self,
        files: Annotated[tuple[str, ...], Field(min_length=1)] = (
            "data/raw/annotation-train.csv",
            "data/raw/annotation-test.csv",
        ),
    ):
        self.files = tuple(Path(file) for file in files)

    def estimate(self, table: pd.DataFrame) -> Pose:
        """Poses (N, 18); raises FileNotFoundError, or InputError where an image is in none of the files."""
        known = {annotated_name(name): pose for file in self.files for name, pose in read_annotations(file).items()}
        names = [annotated_name(image) for image in table["image"]]
        missing = [name for name in names if name not in known]
        if missing:
            files = ", ".join(map(str, self.files))
            raise InputError(
                f"{files}: expected an annotation of each image, {len(missing)} of {len(names)} have none, e.g. "
                f"{missing[0]}: add a file that has them to pose.annotations.files, or choose another pose.estimator"
            )
        return Pose(
            torch.stack([known[name].joints for name in names]), torch.stack([known[name].visible for name in names])
        )


def read_annotations(path: Path) -> dict[str, Pose]:
    """Pose (18,) of each file name.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: naming file and line: the header is another, a line cannot be read, a joint is no number, or an
            image has two poses.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"{path} does not exist: put the published annotation file there, or set pose.annotations.files"
        )
    found = lines(path.read_bytes(), str(path))
    first, header = found[0] if found else (1, "an empty file")
    if header.replace(" ", "") != HEADER:
        raise InputError(
            f"{path}:{first}: expected the header {HEADER}, got {header[:80]}: put a published annotation file there"
        )
    poses = dict[str, Pose]()
    for number, line in found[1:]:
        try:
            name, y_list, x_list = line.split(":")
            y, x = (np.array(json.loads(values), np.float32) for values in (y_list, x_list))
            joints = torch.from_numpy(np.stack([x, y], 1))
            if not joints.isfinite().all():
                raise ValueError("a joint is no finite number; one that was not detected is -1 in both lists")
            visible = (joints != MISSING).all(1)
            pose = Pose(torch.where(visible[:, None], joints, 0.0), visible)
            if not _equal(poses.setdefault(name.strip(), pose), pose):
                raise ValueError("the file has another pose of this image before")
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{path}:{number}: expected `name: [y of 18 joints]: [x of 18 joints]`, got {line[:80]!r} ({error}): "
                "correct or remove the line"
            ) from error
    return poses


def _equal(first: Pose, second: Pose) -> bool:
    return torch.equal(first.joints, second.joints) and torch.equal(first.visible, second.visible)


def write_annotations(names: Sequence[str], pose: Pose, path: Path) -> None:
    """Write the poses (N, 18) of N file names in the published format, coordinates truncated to whole pixels."""
    whole = torch.where(pose.visible[..., None], pose.joints, MISSING).int()
    entries = [
        f"{name}: {json.dumps(joints[:, 1].tolist())}: {json.dumps(joints[:, 0].tolist())}"
        for name, joints in zip(names, whole, strict=True)
    ]
    atomic.write(path, "\n".join([HEADER, *entries]) + "\n")
