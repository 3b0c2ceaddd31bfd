"""The page of a study, one file that needs no other, by the templates beside this file."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from pipelines.templates import templates

TEMPLATES = templates("pipelines.study")


def page(
    study: str, practice: list[tuple[str, bytes]], images: Mapping[str, bytes], seconds: float, size: tuple[int, int]
) -> str:
    """The page, in HTML; what it has of the images that count does not say which are real.

    Args:
        study: digest of the study, which the files of answers will have.
        practice: images to begin with, in order: `real` or `generated`, which the page tells after the answer, and the
            JPEG file.
        images: name -> JPEG file of those that count; each participant sees them in another random order.
        seconds: that each is shown.
        size: (H, W) of the images in pixels.
    """
    content = {
        "study": study,
        "seconds": seconds,
        "practice": [{"image": _inline(data), "origin": origin} for origin, data in practice],
        "images": [{"id": name, "image": _inline(data)} for name, data in images.items()],
    }
    return TEMPLATES.get_template("page.html").render(content=content, size=size)


def _inline(data: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()
