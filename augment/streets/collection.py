"""Which pictures make up a data set of a given size, and their names in Market-1501's layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reid.common.errors import InputError
from reid.randomness.seeds import seed_for

TRUTH = "truth.json"  # file of a rendered set with the annotations of its images
CAMERAS = 6
MOST = 8000  # identities of a set: names have four digits, and the people of distractors are numbered too
TRAIN_VIEWS, GALLERY_VIEWS = 3, 3  # pictures of a person in each camera: exactly, at most
JUNK = 0.3  # probability of a junk image (a bad box) for a test person in a camera
PASSERS = 8  # identities for each person who is shown in distractors only


@dataclass(frozen=True)
class View:
    """One picture of a data set.

    Args:
        file: path in the data set, in Market-1501's layout and naming.
        person: number of the person shown.
        camera: from 1.
        moment: name of the moment; it selects the random draws of the picture.
        bad_box: whether the box holds only a part of the person, like a false alarm of a detector.
    """

    file: str
    person: int
    camera: int
    moment: str
    bad_box: bool = False


def plan(identities: int, seed: int) -> dict[int, list[View]]:
    """The views of each person of a data set, by the person's number.

    The first half of the identities is for training, each in 3 to 6 cameras with TRAIN_VIEWS pictures. The others are
    for testing, each in 3 to 6 cameras with a query, up to GALLERY_VIEWS gallery images and sometimes a bad box (junk,
    labelled -1). Distractors (labelled 0000) show further people, each in two cameras.

    Raises:
        InputError: too few or too many identities.

    Example:
        >>> from augment.streets.collection import plan
        >>> people = plan(identities=4, seed=0)
        >>> list(people)  # 1 and 2 for training, 3 and 4 for testing, 5 for distractors
        [1, 2, 3, 4, 5]
        >>> {view.file.split("/")[0] for view in people[1]}
        {'bounding_box_train'}
    """
    if not 2 <= identities <= MOST:
        raise InputError(
            f"expected 2 to {MOST} identities, got {identities}: Market-1501's names have four digits for a person; "
            "render a smaller set, or several with different seeds"
        )
    training = (identities + 1) // 2
    people = {number: training_views(number, seed) for number in range(1, training + 1)}
    people |= {number: _testing(number, seed) for number in range(training + 1, identities + 1)}
    strangers = range(identities + 1, identities + 1 + max(1, identities // PASSERS))
    return people | {number: _passing(number, seed) for number in strangers}


def name(label: int, person: int, camera: int, view: int) -> str:
    """A name as in Market-1501, with a frame and a box number that no other picture of the set has.

    Example:
        >>> from augment.streets.collection import name
        >>> name(label=2, person=2, camera=1, view=1), name(label=-1, person=2, camera=1, view=4)
        ('0002_c1s1_000211_01.jpg', '-1_c1s1_000214_04.jpg')
    """
    prefix = str(label) if label < 0 else f"{label:04d}"
    return f"{prefix}_c{camera}s1_{person % 10000 * 100 + 10 * camera + view:06d}_{view:02d}.jpg"


def _cameras(number: int, seed: int, least: int, most: int) -> tuple[list[int], np.random.Generator]:
    random = np.random.default_rng(seed_for(seed, "plan", number))
    count = int(random.integers(least, most + 1))
    return sorted(1 + int(camera) for camera in random.choice(CAMERAS, count, replace=False)), random


def training_views(number: int, seed: int) -> list[View]:
    """The views of a person of the training set."""
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
