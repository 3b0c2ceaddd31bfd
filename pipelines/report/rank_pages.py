"""The page of rank lists: each picture with its name and distance, each query with its average precision."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pipelines.report.colours import colour
from pipelines.report.page import render
from reid.common import atomic
from reid.files.images import Archive, encode_jpeg

PAGE = "rank_lists.html"
PICTURE = (64, 128)  # most pixels of a picture on it
QUERY = "query"

System = tuple[str, str]  # row and network
Lists = dict[System, list[dict[str, Any]]]  # as in score files


def write(sections: dict[str, Lists], archive: Archive, folder: Path) -> None:
    """Write `rank_lists.html` to a folder, and its pictures to `people/` of it.

    Args:
        sections: heading -> the rank lists of all systems: the first query of all, then the second of all, and so on.
        archive: that has the images.
        folder: of the report.
    """
    shown = {heading: list(_lists(lists, archive, folder)) for heading, lists in sections.items()}
    atomic.write(folder / PAGE, render("rank_lists.html", sections=shown))


def _lists(lists: Lists, archive: Archive, folder: Path) -> Iterator[dict[str, object]]:
    """What the template shows of the rank lists of all systems."""
    for number in range(min(map(len, lists.values()))):
        for (row, network), own in lists.items():
            entry = own[number]
            pictures = [(QUERY, entry["query"], "")]
            distances = (f"{distance:.3f}" for distance in entry["distances"])
            pictures += zip(entry["kinds"], entry["gallery"], distances, strict=True)
            yield {
                "name": f"{row}, {network}",
                "colour": colour(row),
                "average_precision": f"{entry['average_precision']:.3f}",
                "pictures": [_picture(*parts, archive, folder) for parts in pictures],
            }


def _picture(kind: str, image: str, distance: str, archive: Archive, folder: Path) -> dict[str, object]:
    """What the template shows of an image; writes it, unless a list before has."""
    path = folder / "people" / f"{image.replace('/', '-')}.jpg"
    picture = Image.fromarray(archive.image(image))
    picture.thumbnail(PICTURE, Image.Resampling.LANCZOS)
    if not path.exists():
        atomic.write(path, encode_jpeg(np.asarray(picture), 85))
    width, height = picture.size
    shown = {"kind": kind, "name": Path(image).name, "distance": distance, "width": width, "height": height}
    return shown | {"source": path.relative_to(folder).as_posix()}
