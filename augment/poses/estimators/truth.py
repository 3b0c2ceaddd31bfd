"""True joints that come with the data, as in a rendered data set."""

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
                records = json.loads(archive.read(TRUTH))["images"]
                known = {record["image"]: record for record in records}
                for index, image in enumerate(table["image"]):
                    if table["archive"].iloc[index] != path:
                        continue
                    if image not in known:
                        raise InputError(
                            f"{path}: expected joints of each image in {TRUTH}, {image} has none: choose another "
                            "pose.estimator in params.yaml"
                        )
                    height, width = archive.size(image)
                    position = torch.tensor(known[image]["joints"])
                    inside = (position > -0.5).all(1) & (position < torch.tensor([width - 0.5, height - 0.5])).all(1)
                    in_sight = torch.tensor(known[image]["visible"]).bool()
                    joints[index], visible[index] = position, inside & in_sight if self.only_in_sight else inside
        return Pose(joints, visible)
