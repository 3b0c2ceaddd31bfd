"""Rendered images as an augmentation, to compare generators with.

`views` of the same people show what a perfect generator could add, images of new `identities` what more people add.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from augment.plans import NEWCOMERS, Plan, check_alpha, check_newcomers
from augment.streets.collection import TRUTH, View, plan, training_views
from augment.streets.studio import collect, shoot
from reid.common.errors import InputError
from reid.files import samples
from reid.files.images import Archive, decode, generated_name


def views(table: pd.DataFrame, alpha: int, seed: int, origin: str, archive: str) -> pd.DataFrame:
    """Plan to show each training image's person in the same camera at alpha - 1 other moments.

    Args:
        table: sample table of the N real training images, of a rendered data set.
        alpha: from 2.
        seed: not used: the data set's own decides what `render` draws.
        origin: row of the results table, that is training set, that the images are for, e.g. `views-a2`.
        archive: zip that will hold the images.

    Returns:
        sample table of the new images, with identity and camera of their source.

    Raises:
        InputError: alpha is below 2.

    Example:
        >>> table = samples.real_table(["a.jpg", "b.jpg"], "real.zip", identities=[7, 8], cameras=[1, 2])
        >>> views(table, 2, 0, "views-a2", "new.zip")[["identity", "camera", "source", "draw"]].to_numpy().tolist()
        [[7, 1, 'a.jpg', 1], [8, 2, 'b.jpg', 1]]
    """
    check_alpha(alpha)
    drawn = []
    for draw in range(1, alpha):
        names = [generated_name(image, draw) for image in table["image"]]
        drawn.append(table.assign(image=names, archive=archive, origin=origin, source=table["image"], draw=draw))
    return pd.concat(drawn, ignore_index=True)[list(samples.COLUMNS)]


def identities(table: pd.DataFrame, alpha: int, seed: int, origin: str, archive: str) -> pd.DataFrame:
    """Plan to add new people, with alpha - 1 times as many images as there are real ones.

    Arguments and result as of `views`, but the seed decides who the new people are; each of their images is its own
    source.
    """
    check_alpha(alpha)
    check_newcomers(table)
    entries = []
    for draw in range(1, alpha):
        shown: list[View] = []
        number = NEWCOMERS * draw
        while len(shown) < len(table):
            number += 1
            shown += training_views(number, seed)
        entries += [(view.file, view.person, view.camera, draw) for view in shown[: len(table)]]
    drawn = pd.DataFrame(entries, columns=["image", "identity", "camera", "draw"])
    drawn = drawn.assign(archive=archive, origin=origin, source=drawn["image"], further_sources="", pose_of=None)
    return drawn[list(samples.COLUMNS)]


# Whom `pasted` shows is what `views` shows; its images are made by `augment.plans.pasting.paste`.
RENDERINGS: dict[str, Plan] = {"views": views, "identities": identities, "pasted": views}


def render(entries: pd.DataFrame, seed: int, archive: Path, parts: Path, processes: int) -> None:
    """Render the images of a plan into a zip.

    Args:
        entries: sample table that `views` or `identities` gave.
        seed: of the rendered people.
        archive: zip to write.
        parts: folder that keeps finished people until the caller removes it.
        processes: that render at once.
    """
    numbers = dict.fromkeys(entries["identity"].tolist())  # each person once, in the order of the entries
    people = {number: _views(number, entries[entries["identity"] == number], seed) for number in numbers}
    collect(shoot(seed, people, parts, processes), archive)


def seed_of(table: pd.DataFrame) -> int | None:
    """The seed that a rendered data set was made from; None for a data set that was not rendered.

    Raises:
        InputError: it was made by another version of the renderer, which draws people differently.
    """
    path = str(table["archive"].iloc[0])
    with Archive(path) as archive:
        if TRUTH not in archive.names():
            return None
        truth = json.loads(archive.read(TRUTH))
        first = table["image"].iloc[0]
        stored = archive.image(first)
    planned = {view.file: view for people in plan(truth["identities"], truth["seed"]).values() for view in people}
    if first in planned:
        from augment.streets.world import World

        view = planned[first]
        rendered = decode(World(truth["seed"]).shoot(view.person, view.camera, view.moment).image, first)
        if np.abs(rendered.astype(int) - stored).mean() < 1:  # other processors round a little differently
            return int(truth["seed"])
    raise InputError(
        f"{path}: {first} does not look as this version of the renderer draws it; render the set again "
        "(python -m pipelines render), or take `views` out of `renderings` in params.yaml"
    )


def _views(person: int, entries: pd.DataFrame, seed: int) -> list[View]:
    """What to render for a person's entries: other moments of a source, or the views of somebody new."""
    own = {view.file: view for view in training_views(person, seed)}
    return [
        own[image] if image == source else View(image, person, int(camera), f"extra/{source}/{draw}")
        for image, source, camera, draw in entries[["image", "source", "camera", "draw"]].itertuples(index=False)
    ]
