"""Pose estimators: `ESTIMATORS[name](**params).estimate(table) -> Pose (N, 18)` for a sample table of N images.

To add one: a class with that method, and its line in `ESTIMATORS`.
"""

from typing import Protocol

import pandas as pd

from augment.poses.estimators.annotations import Annotations
from augment.poses.estimators.blazepose import BlazePose
from augment.poses.estimators.truth import Truth
from augment.poses.pose import Pose


class Estimator(Protocol):
    """Estimates the pose of the person in each image."""

    def estimate(self, table: pd.DataFrame) -> Pose:
        """Poses (N, 18), in pixels of the images as stored, for a sample table of N images."""
        ...


ESTIMATORS = {"blazepose": BlazePose, "truth": Truth, "annotations": Annotations}

__all__ = ["ESTIMATORS", "Estimator"]
