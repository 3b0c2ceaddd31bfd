"""Background images for people in videos of static cameras (Sec. 3.3 of the journal paper).

The background of an image x_b is the same area of another frame of the same video, chosen at random among the frames in
which no annotated box overlaps that area.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reid.randomness.seeds import seed_for

BOX = ["left", "top", "right", "bottom"]


def free_frames(
    area: NDArray[np.int64], boxes: NDArray[np.int64], frame_of: NDArray[np.int64], count: int
) -> NDArray[np.bool_]:
    """Which frames show an area with nobody in it.

    Convention: left, top, right, bottom in pixels, right and bottom just outside, so that boxes which only touch do not
    overlap.

    Args:
        area: (4,).
        boxes: (N, 4), of all frames of the video.
        frame_of: (N,) the frame of each box, from 0 to count - 1.
        count: of the frames.

    Returns:
        (count,)
    """
    overlap = (boxes[:, :2] < area[2:]).all(1) & (boxes[:, 2:] > area[:2]).all(1)
    free = np.ones(count, bool)
    free[frame_of[overlap]] = False
    return free


def choose_frames(images: pd.DataFrame, boxes: pd.DataFrame, frames: pd.DataFrame, seed: int) -> pd.Series:
    """For each image the frame that its background is cut from, null where somebody is in the way in every frame.

    The frame is from the video and the split of the image, so that nothing of test frames is trained on. The choice
    depends on the seed, the image's name and the frames that are free, not on what else is in the table.

    Args:
        images: columns image, split, video, left, top, right, bottom.
        boxes: of all people in all frames: frame, split, video, left, top, right, bottom.
        frames: frame, split, video.
        seed: of the choice.

    Returns:
        (N,) frames' names, with the index of `images`.
    """
    keys = ["split", "video"]
    boxes_of, frames_of = dict(list(boxes.groupby(keys))), dict(list(frames.groupby(keys)))
    chosen = pd.Series(None, images.index, dtype="object", name="background")
    for key, group in images.groupby(keys):
        names = np.array(sorted(frames_of[key]["frame"]))
        occupied = boxes_of.get(key, boxes.head(0))
        frame_of = np.searchsorted(names, occupied["frame"].to_numpy(str))
        areas, taken = group[BOX].to_numpy(), occupied[BOX].to_numpy()
        for index, image, area in zip(group.index, group["image"], areas, strict=True):
            free = names[free_frames(area, taken, frame_of, len(names))]
            if len(free):
                random = np.random.default_rng(seed_for(seed, "background", image))
                chosen[index] = str(free[random.integers(len(free))])
    return chosen
