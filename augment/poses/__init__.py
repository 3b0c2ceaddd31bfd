"""Poses, which are 18 joints of a person, and the estimators that give them."""

from augment.poses.pose import INDEX, JOINTS, TORSO, Pose

__all__ = ["INDEX", "JOINTS", "TORSO", "Pose"]
