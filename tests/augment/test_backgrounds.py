"""Backgrounds against a search that looks at every pixel of every frame."""

import numpy as np
import pandas as pd
import prw_files
import pytest

from augment.data.backgrounds import choose_frames, free_frames
from reid.datasets.prw import crops, read_published


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    root = tmp_path_factory.mktemp("small")
    occupied = prw_files.write(root, prw_files.annotations(1))
    published = read_published(root)
    return published, crops(published)[0], occupied


def free(row, occupied):
    """Frames of the image's video and split with nobody on any pixel of its area."""
    split = "train" if row.split == "train" else "test"
    frames = [frame for frame in prw_files.names(split) if frame[:4] == row.frame[:4]]
    return {frame for frame in frames if not occupied[frame][row.top : row.bottom, row.left : row.right].any()}


def test_backgrounds_come_from_free_frames_of_the_same_video(small):
    published, images, occupied = small
    chosen = choose_frames(images, published.boxes, published.frames, seed=0)
    none = 0
    for row, frame in zip(images.itertuples(), chosen, strict=True):
        possible = free(row, occupied)
        none += not possible
        assert (frame in possible) if possible else pd.isna(frame)
        assert frame != row.frame, "the person is there"
    assert 0 < none < len(images), "the small set has a place that is never free"


def test_every_free_frame_is_chosen_sometimes(small):
    published, images, occupied = small
    row = max(images.itertuples(), key=lambda row: len(free(row, occupied)))
    one = images[images["image"] == row.image]
    chosen = [choose_frames(one, published.boxes, published.frames, seed).iloc[0] for seed in range(200)]
    counts = {frame: chosen.count(frame) for frame in free(row, occupied)}
    assert sum(counts.values()) == 200
    # Each count is binomial: its mean 200 / n, its standard deviation below sqrt(200 / n).
    mean = 200 / len(counts)
    assert len(counts) > 2
    assert all(abs(count - mean) < 5 * mean**0.5 for count in counts.values())


def test_a_choice_does_not_depend_on_order_or_on_other_images(small):
    published, images, _ = small
    chosen = choose_frames(images, published.boxes, published.frames, seed=0)
    boxes, frames = (table.sample(frac=1, random_state=1) for table in (published.boxes, published.frames))
    some = images.sample(frac=0.5, random_state=2)
    assert choose_frames(some, boxes, frames, seed=0).equals(chosen[some.index])
    assert not choose_frames(images, boxes, frames, seed=1).equals(chosen)


def test_boxes_that_touch_do_not_overlap():
    area = np.array([10, 10, 20, 30])
    beside = [[0, 0, 10, 40], [20, 0, 30, 40], [0, 30, 40, 40], [0, 0, 40, 10]]
    across = [[19, 29, 30, 40], [0, 0, 50, 50]]
    free = free_frames(area, np.array(beside + across), np.arange(6), 7)
    assert free.tolist() == [True] * 4 + [False] * 2 + [True], "the last frame has no box"
