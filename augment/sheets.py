"""Contact sheets: rows of pictures with captions, and skeletons drawn over them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from augment.poses.pose import INDEX, Pose

Picture = NDArray[np.uint8]  # (H, W, 3) RGB

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


def sheet(
    rows: Sequence[tuple[str, Sequence[Picture]]], path: Path, height: int = 192, title: str = "", gap: int = 4
) -> None:
    """Write rows of pictures as PNG.

    Args:
        rows: caption and pictures of each row; all pictures are scaled to one height.
        path: of the PNG.
        height: of a picture on the sheet, in pixels.
        title: a line above everything.
        gap: pixels between pictures.
    """
    font = ImageFont.load_default(15)
    scaled = [(caption, [_scale(picture, height) for picture in pictures]) for caption, pictures in rows]
    margin = max((int(font.getlength(caption)) for caption, _ in rows), default=0) + 12
    width = margin + max((sum(p.width + gap for p in pictures) for _, pictures in scaled), default=0)
    top = 26 if title else gap
    canvas = Image.new("RGB", (max(width, int(font.getlength(title)) + 16), top + len(rows) * (height + gap)), "white")
    draw = ImageDraw.Draw(canvas)
    draw.text((6, 4), title, "black", font)
    for number, (caption, pictures) in enumerate(scaled):
        y = top + number * (height + gap)
        draw.text((6, y + height // 2 - 8), caption, "black", font)
        x = margin
        for picture in pictures:
            canvas.paste(picture, (x, y))
            x += picture.width + gap
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas.save(path)


def skeleton(image: Picture, pose: Pose, scale: int = 3) -> Picture:
    """The image enlarged `scale` times with the visible joints of a pose (18,): right orange, left blue."""
    picture = Image.fromarray(image).resize((image.shape[1] * scale, image.shape[0] * scale), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    points = [tuple((joint + 0.5) * scale) for joint in pose.joints.tolist() for joint in [np.array(joint)]]
    for start, end in BONES:
        if pose.visible[start] and pose.visible[end]:
            draw.line([points[start], points[end]], _colour(end), 2)
    for joint, point in enumerate(points):
        if pose.visible[joint]:
            x, y = point
            draw.ellipse([x - 3, y - 3, x + 3, y + 3], _colour(joint))
    return np.asarray(picture)


def framed(image: Picture, colour: tuple[int, int, int], border: int = 3) -> Picture:
    """The image with its outermost pixels in a colour."""
    picture = image.copy()
    picture[:border] = picture[-border:] = picture[:, :border] = picture[:, -border:] = colour
    return picture


def _colour(joint: int) -> tuple[int, int, int]:
    name = next(name for name, index in INDEX.items() if index == joint)
    return RIGHT if name.startswith("right") else LEFT if name.startswith("left") else MIDDLE


def _scale(picture: Picture, height: int) -> Image.Image:
    width = round(picture.shape[1] * height / picture.shape[0])
    return Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC)
