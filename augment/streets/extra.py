"""Rendered images as an augmentation: what a perfect generator could add, and what other people add."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pandas as pd

from augment.streets.collection import TRUTH, View, plan, training_views
from reid.common.errors import InputError
from reid.files import samples
from reid.files.images import Archive, decode, generated_name

NEWCOMERS = 100_000  # first number of the people of draw 1; draw 2 starts at twice that


def seed_of(table: pd.DataFrame) -> int | None:
    """The seed that a rendered data set was made from; None where it is not a rendered one.

    Raises:
        InputError: it was rendered by another version of the renderer, whose people were others.
    """
    path = str(table["archive"].iloc[0])
    with Archive(path) as archive:
        if TRUTH not in archive.names():
            return None
        truth = json.loads(archive.read(TRUTH))
        first = table["image"].iloc[0]
        known = archive.image(first)
    views = {view.file: view for people in plan(truth["identities"], truth["seed"]).values() for view in people}
    if first in views:
        from augment.streets.world import World

        view = views[first]
        again = decode(World(truth["seed"]).shoot(view.person, view.camera, view.moment).image, first)
        if np.abs(again.astype(int) - known).mean() < 1:  # other processors round a little differently
            return int(truth["seed"])
    raise InputError(
        f"{path}: {first} does not look as this version of the renderer draws it; render the set again "
        "(python -m pipelines render), or take `views` out of `renderings` in params.yaml"
    )


def views(table: pd.DataFrame, alpha: int, seed: int, origin: str, archive: str) -> tuple[pd.DataFrame, list[View]]:
    """Alpha - 1 other moments of each training image's person in the same camera.

    Args:
        table: sample table of the N real training images.
        alpha: from 2.
        seed: of the rendered data set, or of the new people beside another one; other moments need none.
        origin: name of the row of the results' table.
        archive: zip that will hold the images.

    Returns:
        sample table of the new images, with identity and camera of their source; and what to render.
    """
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
