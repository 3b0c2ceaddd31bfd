"""Geometry of poses: heat maps, body parts, affine maps and the warp of feature maps."""

from augment.geometry.heatmaps import heatmaps
from augment.geometry.warping import part_transforms

__all__ = ["heatmaps", "part_transforms"]
