"""Joints delivered with the data, as a rendered set has them."""

from __future__ import annotations

import json

import pandas as pd
import torch

from augment.poses.pose import Pose
from reid.common.errors import InputError
from reid.files.images import Archive

TRUTH = "truth.json"


class Truth:
    """Reads `truth.json` in the images' archive: `images` lists {image, joints: 18 x [x, y], visible: 18 x 0 or 1}.

    There, `visible` is line of sight. An estimator reports most joints that an arm or the body itself hides, so by
    default every joint inside the image counts as known.
    """

    def __init__(
        self,
        only_in_sight: bool = False,  # count joints that something hides as unknown
    ):
        self.only_in_sight = only_in_sight

    def estimate(self, table: pd.DataFrame) -> Pose:
        """Poses (N, 18); raises ImageError or InputError where the archive has no joints of an image."""
        joints = torch.empty(len(table), 18, 2)
        visible = torch.empty(len(table), 18, dtype=torch.bool)
        for path in sorted(table["archive"].unique()):
            with Archive(path) as archive:
                if TRUTH not in archive.names():
                    raise InputError(f"{path} has no {TRUTH}, which rendered sets have; use another pose.estimator")
                records = json.loads(archive.read(TRUTH))["images"]
                known = {record["image"]: record for record in records}
                for row, image in enumerate(table["image"]):
                    if table["archive"].iloc[row] != path:
                        continue
                    if image not in known:
                        raise InputError(f"{path}: {TRUTH} has no joints of {image}; use another pose.estimator")
                    height, width = archive.size(image)
                    position = torch.tensor(known[image]["joints"])
                    inside = (position > -0.5).all(1) & (position < torch.tensor([width - 0.5, height - 0.5])).all(1)
                    in_sight = torch.tensor(known[image]["visible"]).bool()
                    joints[row], visible[row] = position, inside & in_sight if self.only_in_sight else inside
        return Pose(joints, visible)
