"""Contact sheets: lines of pictures, each with a caption."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from reid.common import atomic

Picture = NDArray[np.uint8]  # (H, W, 3) RGB
QUALITY = 85  # of JPEG


def sheet(
    rows: Sequence[tuple[str, Sequence[Picture]]], path: Path, height: int = 192, title: str = "", gap: int = 4
) -> None:
    """Write lines of pictures, one below the other, as PNG or JPEG.

    Args:
        rows: caption and pictures of each line of the sheet; all pictures are scaled to one height.
        path: of the picture to write; its suffix says which.
        height: of a picture on the sheet, in pixels.
        title: text above everything.
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
    with atomic.replacing(path) as new:
        canvas.save(new, quality=QUALITY)


def framed(image: Picture, colour: tuple[int, int, int], border: int = 3) -> Picture:
    """A copy of the image whose outermost `border` pixels have the colour (R, G, B)."""
    picture = image.copy()
    picture[:border] = picture[-border:] = picture[:, :border] = picture[:, -border:] = colour
    return picture


def shrink(source: Path, path: Path, most: tuple[int, int] | None = None) -> tuple[int, int]:
    """Write a picture as JPEG, no larger than (width, height) where that is given; a smaller one keeps its size.

    Of one that is more than twice as high as wide, the upper part is kept then.

    Returns:
        its width and height.
    """
    with Image.open(source) as image:
        copy = image.convert("RGB")
    if most is not None:
        copy = copy.crop((0, 0, copy.width, min(copy.height, 2 * copy.width)))
        copy.thumbnail(most, Image.Resampling.LANCZOS)
    with atomic.replacing(path) as new:
        copy.save(new, quality=QUALITY)
    return copy.size


def _scale(picture: Picture, height: int) -> Image.Image:
    width = round(picture.shape[1] * height / picture.shape[0])
    return Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC)
