"""Background images for people in videos of static cameras (Sec. 3.3 of the journal paper).

The background of a target image x_b is cut from another frame of the same video, at the same place. The frame is drawn
from those in which no annotated person's box overlaps that place.
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
    """Which frames of a video show an area without anybody in it.

    Convention: a box is left, top, right, bottom in pixels; right and bottom are the first pixels outside, so that
    boxes which touch do not overlap.

    Args:
        area: (4,) box of the area.
        boxes: (N, 4) people's boxes in all frames of the video.
        frame_of: (N,) index of each box's frame, from 0 to count - 1.
        count: number of frames.

    Returns:
        (count,) bool.

    Example:
        >>> import numpy as np
        >>> from augment.data.backgrounds import free_frames
        >>> area = np.array([10, 10, 20, 30])
        >>> boxes = np.array([[0, 0, 15, 40], [20, 10, 30, 30]])  # overlaps the area; touches it
        >>> free_frames(area, boxes, frame_of=np.array([0, 1]), count=3).tolist()
        [False, True, True]
    """
    overlap = (boxes[:, :2] < area[2:]).all(1) & (boxes[:, 2:] > area[:2]).all(1)
    free = np.ones(count, bool)
    free[frame_of[overlap]] = False
    return free


def choose_frames(images: pd.DataFrame, boxes: pd.DataFrame, frames: pd.DataFrame, seed: int) -> pd.Series:
    """The frame that each image's background is cut from; null where somebody is in the way in every frame.

    The frame is of the image's video and split, so that no test frame is trained on. The draw depends on the seed, the
    image's name and which frames are free, but not on the other images.

    Args:
        images: table of the N images with columns image, split, video, left, top, right, bottom.
        boxes: table of all people in all frames with columns frame, split, video, left, top, right, bottom.
        frames: table of all frames with columns frame, split, video.
        seed: of the draws.

    Returns:
        (N,) names of frames, with the index of `images`.
    """
    keys = ["split", "video"]
    boxes_of, frames_of = dict(list(boxes.groupby(keys))), dict(list(frames.groupby(keys)))
    chosen = pd.Series(None, images.index, dtype="object", name="background")
    for key, group in images.groupby(keys):
        names = np.array(sorted(frames_of[key]["frame"]))
        occupied = boxes_of.get(key, boxes.head(0))
        frame_of = np.searchsorted(names, occupied["frame"].to_numpy(str))
        areas, people = group[BOX].to_numpy(), occupied[BOX].to_numpy()
        for index, image, area in zip(group.index, group["image"], areas, strict=True):
            free = names[free_frames(area, people, frame_of, len(names))]
            if len(free):
                random = np.random.default_rng(seed_for(seed, "background", image))
                chosen[index] = str(free[random.integers(len(free))])
    return chosen
