"""A small set in the layout of PRW as published, and what is true of it."""

import io
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image

SIZES = {"c1": (48, 64), "c2": (40, 56)}  # (H, W) of each camera's frames
VIDEOS = ("c1s1", "c1s2", "c2s1")
TRAIN, TEST = range(1, 6), range(6, 10)
VARIABLES = ("box_new", "anno_file", "anno_previous")
CROWDED = (3.0, 2.0, 10.0, 12.0)  # somebody stands here in every training frame of c1s2


def names(split):
    """Frames of a split: seven of each video for training, five for testing."""
    numbers = range(7) if split == "train" else range(100, 105)
    return [f"{video}_{1000 + 25 * number:06d}" for video in VIDEOS for number in numbers]


def annotations(seed):
    """{frame: rows [identity, x, y, width, height]}, in PRW's fractions of pixels, some outside of the frame."""
    random = np.random.default_rng(seed)
    found = {}
    for split, people in (("train", TRAIN), ("test", TEST)):
        for frame in names(split):
            height, width = SIZES[frame[:2]]
            shown = random.choice([-2, 1, 9, *people], 4, replace=False)
            boxes = random.uniform((-4, -4, 6, 10), (width - 5, height - 8, 16, 26), (4, 4))
            rows = np.column_stack([shown, boxes])
            if frame.startswith("c1s2") and split == "train":
                rows = np.vstack(
                    [rows, [random.choice([person for person in people if person not in shown]), *CROWDED]]
                )
            found[frame] = rows
    twice = found[names("train")[0]]
    twice[:2, 0] = 2  # one person in two boxes
    beside = names("train")[1]
    found[beside] = np.vstack([found[beside], [-2, -20, 5, 10, 12]])  # left of the frame
    return found


def colour(frame):
    """The red of a frame's empty pixels; no two frames have the same. People are full green."""
    return 6 * sorted(names("train") + names("test")).index(frame)


def touched(frame, row):
    """(H, W) bool: the pixels that a box touches, one by one."""
    height, width = SIZES[frame[:2]]
    _, x, y, box_width, box_height = row
    mask = np.zeros((height, width), bool)
    for line in range(height):
        for column in range(width):
            mask[line, column] = x < column + 1 and x + box_width > column and y < line + 1 and y + box_height > line
    return mask


def write(root: Path, found):
    """Write frames, annotations, lists and queries; returns {frame: (H, W) bool, where somebody is}."""
    occupied = {}
    for folder in ("frames", "annotations"):
        (root / folder).mkdir(parents=True)
    for number, (frame, rows) in enumerate(found.items()):
        occupied[frame] = np.any([touched(frame, row) for row in rows], axis=0)
        pixels = np.zeros((*occupied[frame].shape, 3), np.uint8)
        pixels[..., 0] = colour(frame)
        pixels[..., 1] = 255 * occupied[frame]
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")  # exact, whatever it is called
        (root / f"frames/{frame}.jpg").write_bytes(buffer.getvalue())
        scipy.io.savemat(root / f"annotations/{frame}.jpg.mat", {VARIABLES[number % 3]: rows})
    for split, people in (("train", TRAIN), ("test", TEST)):
        cells = np.empty((len(names(split)), 1), object)
        cells[:, 0] = names(split)
        scipy.io.savemat(root / f"frame_{split}.mat", {f"img_index_{split}": cells})
        variable = "ID_train" if split == "train" else "ID_test2"
        scipy.io.savemat(root / f"ID_{split}.mat", {variable: np.array([list(people)])})
    lines = [
        f"{int(rows[row, 0])} {' '.join(f'{value:.4f}' for value in rows[row, 1:])} {frame}\r\n"
        for frame in names("test")
        for rows in [found[frame]]
        for row in range(len(rows))
        if int(rows[row, 0]) in TEST and touched(frame, rows[row]).any()
    ]
    (root / "query_info.txt").write_text("".join(lines[::3]))
    return occupied
