"""The limbs that masks of people are made of, and how gaps in these are closed, as in PG2's code."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from augment.poses.pose import INDEX

CLOSING = 5  # side of the square structuring element of the closing, in pixels
LIMBS = tuple(
    (INDEX[start], INDEX[end])
    for start, end in (
        ("neck", "right_shoulder"),
        ("neck", "left_shoulder"),
        ("right_shoulder", "right_elbow"),
        ("right_elbow", "right_wrist"),
        ("left_shoulder", "left_elbow"),
        ("left_elbow", "left_wrist"),
        ("neck", "right_hip"),
        ("right_hip", "right_knee"),
        ("right_knee", "right_ankle"),
        ("neck", "left_hip"),
        ("left_hip", "left_knee"),
        ("left_knee", "left_ankle"),
        ("neck", "nose"),
        ("nose", "right_eye"),
        ("right_eye", "right_ear"),
        ("nose", "left_eye"),
        ("left_eye", "left_ear"),
        ("neck", "right_ear"),
        ("neck", "left_ear"),
        ("right_hip", "left_hip"),
        ("left_hip", "left_shoulder"),
        ("right_hip", "right_shoulder"),
        ("right_ear", "left_ear"),
    )
)


def closed(mask: Tensor) -> Tensor:
    """A mask (B, H, W) bool dilated, then eroded; pixels outside the image affect neither."""
    margin = CLOSING // 2
    dilated = F.max_pool2d(mask.float()[:, None], CLOSING, stride=1, padding=margin)
    return F.max_pool2d(-dilated, CLOSING, stride=1, padding=margin)[:, 0] == -1
