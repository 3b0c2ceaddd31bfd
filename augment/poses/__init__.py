"""Poses: 18 joints of a person, and where they come from."""

from augment.poses.pose import INDEX, JOINTS, TORSO, Pose

__all__ = ["INDEX", "JOINTS", "TORSO", "Pose"]
