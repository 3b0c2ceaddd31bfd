"""Rendered images as an augmentation: what a perfect generator could add, and what other people add."""

from __future__ import annotations

import json
from collections.abc import Callable

import pandas as pd

from reid import samples
from reid.datasets.streets.collection import TRUTH, View, training_views
from reid.errors import InputError
from reid.images import Archive, generated_name

NEWCOMERS = 100_000  # first number of the people of draw 1; draw 2 starts at twice that


def seed_of(table: pd.DataFrame) -> int:
    """The seed that a rendered data set was made from; raises InputError where it is not a rendered one."""
    path = str(table["archive"].iloc[0])
    with Archive(path) as archive:
        if TRUTH not in archive.names():
            raise InputError(f"{path} has no {TRUTH}: only people of a rendered data set can be rendered again")
        return int(json.loads(archive.read(TRUTH))["seed"])


def views(table: pd.DataFrame, alpha: int, seed: int, origin: str, archive: str) -> tuple[pd.DataFrame, list[View]]:
    """Alpha - 1 other moments of each training image's person in the same camera.

    Args:
        table: sample table of the N real training images.
        alpha: from 2.
        seed: of the rendered data set.
        origin: name of the row of the results' table.
        archive: zip that will hold the images.

    Returns:
        sample table of the new images, with identity and camera of their source; and what to render, in that order.
    """
    del seed
    drawn, wanted = [], []
    for draw in range(1, alpha):
        files = [generated_name(image, draw) for image in table["image"]]
        drawn.append(table.assign(image=files, archive=archive, origin=origin, source=table["image"], draw=draw))
        for file, source, person, camera in zip(files, table["image"], table["identity"], table["camera"], strict=True):
            wanted.append(View(file, int(person), int(camera), f"extra/{source}/{draw}"))
    return pd.concat(drawn, ignore_index=True)[list(samples.COLUMNS)], wanted


def identities(
    table: pd.DataFrame, alpha: int, seed: int, origin: str, archive: str
) -> tuple[pd.DataFrame, list[View]]:
    """Alpha - 1 times as many images of new people as there are real ones; arguments and result as of `views`."""
    rows, wanted = [], []
    for draw in range(1, alpha):
        found: list[View] = []
        number = NEWCOMERS * draw
        while len(found) < len(table):
            number += 1
            found += training_views(number, seed)
        for view in found[: len(table)]:
            rows.append((view.file, view.person, view.camera, draw))
            wanted.append(view)
    drawn = pd.DataFrame(rows, columns=["image", "identity", "camera", "draw"])
    drawn = drawn.assign(archive=archive, origin=origin, source=drawn["image"], pose_of=None)
    return drawn[list(samples.COLUMNS)], wanted


Planner = Callable[[pd.DataFrame, int, int, str, str], tuple[pd.DataFrame, list[View]]]
RENDERINGS: dict[str, Planner] = {"views": views, "identities": identities}
