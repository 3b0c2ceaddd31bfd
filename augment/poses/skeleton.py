"""Pictures of a pose: its skeleton drawn over the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from augment.poses.pose import INDEX, JOINTS, Pose

BONES = tuple(
    (INDEX[start], INDEX[end])
    for start, end in (
        ("neck", "right_shoulder"),
        ("right_shoulder", "right_elbow"),
        ("right_elbow", "right_wrist"),
        ("neck", "left_shoulder"),
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
    )
)
RIGHT, LEFT, MIDDLE = (255, 140, 0), (0, 200, 255), (255, 255, 255)  # colours of the body's sides


def skeleton(image: NDArray[np.uint8], pose: Pose, scale: int = 3) -> NDArray[np.uint8]:
    """An image (H, W, 3) enlarged `scale` times, with the visible joints of its pose (18,): right orange, left blue."""
    picture = Image.fromarray(image).resize((image.shape[1] * scale, image.shape[0] * scale), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    points = [((x + 0.5) * scale, (y + 0.5) * scale) for x, y in pose.joints.tolist()]
    for start, end in BONES:
        if pose.visible[start] and pose.visible[end]:
            draw.line([points[start], points[end]], _colour(end), 2)
    for joint, point in enumerate(points):
        if pose.visible[joint]:
            x, y = point
            draw.ellipse([x - 3, y - 3, x + 3, y + 3], _colour(joint))
    return np.asarray(picture)


def _colour(joint: int) -> tuple[int, int, int]:
    name = JOINTS[joint]
    return RIGHT if name.startswith("right") else LEFT if name.startswith("left") else MIDDLE
