"""Poses: 18 joints, their heat maps, and where they come from."""

from augment.poses.heatmaps import heatmaps
from augment.poses.pose import INDEX, JOINTS, TORSO, Pose

__all__ = ["INDEX", "JOINTS", "TORSO", "Pose", "heatmaps"]
