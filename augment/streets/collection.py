"""Which pictures make up a data set of a given size, and how they are called."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reid.common.errors import InputError
from reid.randomness.seeds import seed_for

TRUTH = "truth.json"  # the file of a set that says what is true of its images
CAMERAS = 6
MOST = 8000  # identities: Market-1501's names have four digits, distractors come on top
TRAIN_VIEWS, GALLERY_VIEWS = 3, 3  # pictures of a person in a camera
JUNK = 0.3  # share of a test person's cameras with a bad box
PASSERS = 8  # identities for each person who is only a distractor


@dataclass(frozen=True)
class View:
    """One picture of a data set.

    Args:
        file: path in the data set, in Market-1501's layout and naming.
        person: number of the person shown.
        camera: from 1.
        moment: name of the moment.
        bad_box: whether the box is a false alarm.
    """

    file: str
    person: int
    camera: int
    moment: str
    bad_box: bool = False


def plan(identities: int, seed: int) -> dict[int, list[View]]:
    """The views of each person of a data set.

    The first half of the identities is for training, in 3 to 6 cameras, TRAIN_VIEWS pictures in each. The others are
    for testing: a query and up to GALLERY_VIEWS gallery images in each of 3 to 6 cameras, and now and then a bad box
    (junk, -1). Distractors (0000) are other people, in two cameras.

    Raises:
        InputError: too few or too many identities.
    """
    if not 2 <= identities <= MOST:
        raise InputError(f"expected 2 to {MOST} identities, got {identities}; Market-1501's names have four digits")
    training = (identities + 1) // 2
    people = {number: training_views(number, seed) for number in range(1, training + 1)}
    people |= {number: _testing(number, seed) for number in range(training + 1, identities + 1)}
    strangers = range(identities + 1, identities + 1 + max(1, identities // PASSERS))
    return people | {number: _passing(number, seed) for number in strangers}


def name(label: int, person: int, camera: int, view: int) -> str:
    """`0002_c1s1_000211_01.jpg`: label, camera, and a frame and box that no other picture of the set has."""
    shown = str(label) if label < 0 else f"{label:04d}"
    return f"{shown}_c{camera}s1_{person % 10000 * 100 + 10 * camera + view:06d}_{view:02d}.jpg"


def _cameras(number: int, seed: int, least: int, most: int) -> tuple[list[int], np.random.Generator]:
    random = np.random.default_rng(seed_for(seed, "plan", number))
    count = int(random.integers(least, most + 1))
    return sorted(1 + int(camera) for camera in random.choice(CAMERAS, count, replace=False)), random


def training_views(number: int, seed: int) -> list[View]:
    """The views of a person who is for training."""
    cameras, _ = _cameras(number, seed, 3, CAMERAS)
    return [
        View(f"bounding_box_train/{name(number, number, camera, view)}", number, camera, str(view))
        for camera in cameras
        for view in range(1, TRAIN_VIEWS + 1)
    ]


def _testing(number: int, seed: int) -> list[View]:
    views = []
    cameras, random = _cameras(number, seed, 3, CAMERAS)
    for camera in cameras:
        views.append(View(f"query/{name(number, number, camera, 0)}", number, camera, "0"))
        for view in range(1, 1 + int(random.integers(1, GALLERY_VIEWS + 1))):
            views.append(View(f"bounding_box_test/{name(number, number, camera, view)}", number, camera, str(view)))
        if random.random() < JUNK:
            view = GALLERY_VIEWS + 1
            views.append(View(f"bounding_box_test/{name(-1, number, camera, view)}", number, camera, str(view), True))
    return views


def _passing(number: int, seed: int) -> list[View]:
    cameras, _ = _cameras(number, seed, 2, 2)
    return [
        View(f"bounding_box_test/{name(0, number, camera, view)}", number, camera, str(view))
        for camera in cameras
        for view in (1, 2)
    ]
