"""The published annotation files of OpenPose joints: `name:keypoints_y:keypoints_x`.

A line is `0002_c1s1_000451_03.jpg: [12, ...]: [30, ...]`: y of the 18 joints, then x, in pixels, -1 for a joint that
was not detected.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from augment.poses.pose import Pose
from reid.common import atomic
from reid.common.errors import InputError
from reid.files.lists import lines

HEADER = "name:keypoints_y:keypoints_x"
MISSING = -1  # in both lists, for a joint that was not detected


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
            if not equal(poses.setdefault(name.strip(), pose), pose):
                raise ValueError("the file has another pose of this image before")
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{path}:{number}: expected `name: [y of 18 joints]: [x of 18 joints]`, got {line[:80]!r} ({error}): "
                "correct or remove the line"
            ) from error
    return poses


def equal(first: Pose, second: Pose) -> bool:
    """Whether two poses, as they are read, are the same."""
    return torch.equal(first.joints, second.joints) and torch.equal(first.visible, second.visible)


def write_annotations(names: Sequence[str], pose: Pose, path: Path) -> None:
    """Write the poses (N, 18) of N file names in the published format, coordinates truncated to whole pixels."""
    whole = torch.where(pose.visible[..., None], pose.joints, MISSING).int()
    entries = [
        f"{name}: {json.dumps(joints[:, 1].tolist())}: {json.dumps(joints[:, 0].tolist())}"
        for name, joints in zip(names, whole, strict=True)
    ]
    atomic.write(path, "\n".join([HEADER, *entries]) + "\n")
