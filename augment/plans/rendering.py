"""Rendered images as an augmentation: what a perfect generator could add, and what other people add."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from augment.plans import Plan, check_alpha
from augment.streets.collection import TRUTH, View, plan, training_views
from augment.streets.studio import collect, shoot
from reid.common.errors import InputError
from reid.files import samples
from reid.files.images import Archive, decode, generated_name

NEWCOMERS = 100_000  # first number of the people of draw 1; draw 2 starts at twice that


def views(table: pd.DataFrame, alpha: int, seed: int, origin: str, archive: str) -> pd.DataFrame:
    """The plan to show each training image's person in alpha - 1 other moments, in the same camera.

    Args:
        table: sample table of the N real training images, of a rendered data set.
        alpha: from 2.
        seed: that the data set was rendered from; other moments need none of their own.
        origin: name of the training set that the images are for.
        archive: zip that will hold the images.

    Returns:
        sample table of the new images, with identity and camera of their source.
    """
    check_alpha(alpha)
    drawn = []
    for draw in range(1, alpha):
        names = [generated_name(image, draw) for image in table["image"]]
        drawn.append(table.assign(image=names, archive=archive, origin=origin, source=table["image"], draw=draw))
    return pd.concat(drawn, ignore_index=True)[list(samples.COLUMNS)]


def identities(table: pd.DataFrame, alpha: int, seed: int, origin: str, archive: str) -> pd.DataFrame:
    """The plan to add new people, with alpha - 1 times as many images as there are real ones.

    Arguments and result as of `views`, but for the seed, which is that of the new people; their images are their own
    sources.
    """
    check_alpha(alpha)
    rows = []
    for draw in range(1, alpha):
        shown: list[View] = []
        number = NEWCOMERS * draw
        while len(shown) < len(table):
            number += 1
            shown += training_views(number, seed)
        rows += [(view.file, view.person, view.camera, draw) for view in shown[: len(table)]]
    drawn = pd.DataFrame(rows, columns=["image", "identity", "camera", "draw"])
    drawn = drawn.assign(archive=archive, origin=origin, source=drawn["image"], further_sources="", pose_of=None)
    return drawn[list(samples.COLUMNS)]


RENDERINGS: dict[str, Plan] = {"views": views, "identities": identities}


def render(rows: pd.DataFrame, seed: int, archive: Path, parts: Path, processes: int) -> None:
    """Render the images of a plan's rows into a zip.

    Args:
        rows: of `views` or `identities`.
        seed: of the rendered people.
        archive: zip to write.
        parts: folder that keeps finished people until the caller removes it.
        processes: that render at once.
    """
    numbers = dict.fromkeys(rows["identity"].tolist())  # in the order of the rows
    people = {number: _views(number, rows[rows["identity"] == number], seed) for number in numbers}
    collect(shoot(seed, people, parts, processes), archive)


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
    planned = {view.file: view for people in plan(truth["identities"], truth["seed"]).values() for view in people}
    if first in planned:
        from augment.streets.world import World

        view = planned[first]
        again = decode(World(truth["seed"]).shoot(view.person, view.camera, view.moment).image, first)
        if np.abs(again.astype(int) - known).mean() < 1:  # other processors round a little differently
            return int(truth["seed"])
    raise InputError(
        f"{path}: {first} does not look as this version of the renderer draws it; render the set again "
        "(python -m pipelines render), or take `views` out of `renderings` in params.yaml"
    )


def _views(person: int, rows: pd.DataFrame, seed: int) -> list[View]:
    """What to render for a person's rows: other moments of a source, or views of somebody new."""
    own = {view.file: view for view in training_views(person, seed)}
    return [
        own[image] if image == source else View(image, person, int(camera), f"extra/{source}/{draw}")
        for image, source, camera, draw in zip(rows["image"], rows["source"], rows["camera"], rows["draw"], strict=True)
    ]
