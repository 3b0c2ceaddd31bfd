"""Poses from the published annotation files (`augment.poses.annotation_files`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import torch
from pydantic import Field

from augment.poses.annotation_files import equal, read_annotations
from augment.poses.pose import Pose
from reid.common.errors import InputError
from reid.datasets.deepfashion_names import annotated_name


class Annotations:
    """Reads poses from one or more annotation files, by file name; DeepFashion's by the flat name that they use.

    Joints are read by their position, which is OpenPose's order, right eye and ear before the left ones. (The code that
    wrote the files calls them the other way round.)
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
        """Poses (N, 18) of the images.

        Raises:
            FileNotFoundError: a file is missing.
            InputError: an image is in none of the files, or has different poses in two.
        """
        known, said_by = dict[str, Pose](), dict[str, str]()
        for file in self.files:
            for name, pose in read_annotations(file).items():
                key = annotated_name(name)
                if key in known and not equal(known[key], pose):
                    raise InputError(
                        f"{file}: {name} has another pose than {said_by[key]}: leave one of them out, or one of the "
                        "files out of pose.annotations.files"
                    )
                known[key], said_by[key] = pose, f"{name} in {file}"
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
