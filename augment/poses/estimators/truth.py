"""True joints that come with the data, as in a rendered data set."""

from __future__ import annotations

import json

import pandas as pd
import torch
from torch import Tensor

from augment.poses.pose import JOINTS, Pose
from reid.common.errors import InputError
from reid.files.images import Archive

TRUTH = "truth.json"


class Truth:
    """Reads `truth.json` in the images' archive: `images` lists {image, joints: 18 x [x, y], visible: 18 x 0 or 1}.

    In the file, `visible` says whether a joint is in the line of sight. Pose estimators report most joints that an arm
    or the body itself hides, so by default every joint inside the image counts as visible, in the sense of `Pose`.
    """

    def __init__(
        self,
        only_in_sight: bool = False,  # whether joints that something hides count as not visible
    ):
        self.only_in_sight = only_in_sight

    def estimate(self, table: pd.DataFrame) -> Pose:
        """Poses (N, 18); raises ImageError or InputError where an archive lacks an image or its joints."""
        joints = torch.empty(len(table), 18, 2)
        visible = torch.empty(len(table), 18, dtype=torch.bool)
        for path in sorted(table["archive"].unique()):
            with Archive(path) as archive:
                if TRUTH not in archive.names():
                    raise InputError(
                        f"{path}: expected the joints of each image in {TRUTH}, as in rendered sets; it has no such "
                        "file: choose another pose.estimator in params.yaml"
                    )
                known = _records(archive.read(TRUTH), path)
                for index, image in enumerate(table["image"]):
                    if table["archive"].iloc[index] != path:
                        continue
                    if image not in known:
                        raise InputError(
                            f"{path}: expected joints of each image in {TRUTH}, {image} has none: choose another "
                            "pose.estimator in params.yaml"
                        )
                    height, width = archive.size(image)
                    position, is_visible = known[image]
                    inside = (position > -0.5).all(1) & (position < torch.tensor([width - 0.5, height - 0.5])).all(1)
                    joints[index], visible[index] = position, inside & is_visible if self.only_in_sight else inside
        return Pose(joints, visible)


def _records(data: bytes, path: str) -> dict[str, tuple[Tensor, Tensor]]:
    """Joints (18, 2) and visibility (18,) of each image.

    Raises:
        InputError: the file is none of this kind, has joints that are no numbers, or an image twice.
    """
    known = {}
    try:
        for record in json.loads(data)["images"]:
            image = record["image"]
            joints, in_sight = (
                torch.tensor(record["joints"], dtype=torch.float32),
                torch.tensor(record["visible"]).bool(),
            )
            if joints.shape != (len(JOINTS), 2) or in_sight.shape != (len(JOINTS),):
                raise ValueError(f"{image} has {tuple(joints.shape)} joints and {tuple(in_sight.shape)} of `visible`")
            if not joints.isfinite().all():
                raise ValueError(f"a joint of {image} is no finite number")
            if image in known:
                raise ValueError(f"{image} is there twice")
            known[image] = joints, in_sight
    except (ValueError, TypeError, KeyError, OverflowError, RuntimeError) as error:  # of nesting too deep, the last
        form = "{image, joints: 18 x [x, y], visible: 18 x 0 or 1}"
        raise InputError(
            f"{path}: {TRUTH}: expected `images`, a list of {form}; {error!r}: correct it, or choose another "
            "pose.estimator in params.yaml"
        ) from error
    return known
