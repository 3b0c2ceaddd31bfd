"""PRW as published (v16.04.20): whole frames of six static cameras, with a box around each person.

`python -m pipelines import-prw` cuts the people out, with backgrounds, into an archive in Market-1501's layout. That is
what `read_prw` reads. Sec. 3.3 of the journal paper trains on it.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reid.common.errors import InputError
from reid.common.progress import progress
from reid.datasets.folders import Dataset, Finding, find_root
from reid.datasets.market1501 import read_market1501
from reid.files.images import Archive

FRAME = re.compile(r"(?P<video>c(?P<camera>\d)s\d)_\d{6}")
BOXES = ("box_new", "anno_file", "anno_previous")  # what an annotation's rows are called, the newest first
BOX = ["left", "top", "right", "bottom"]
SPLITS = {"train": "train", "test": "gallery"}  # PRW's name of a split, and ours
FOLDERS = {"train": "bounding_box_train", "gallery": "bounding_box_test"}


@dataclass(frozen=True)
class Published:
    """What PRW's files say.

    Convention: boxes are half open, in whole pixels: columns left to right - 1 and rows top to bottom - 1 are inside,
    each pixel that the published box touches is, and nothing outside of the frame is.

    Args:
        root: folder of the data set inside its archive.
        frames: columns frame (its name without `.jpg`), split (train or gallery), video (e.g. `c1s1`), camera; sorted.
        boxes: columns frame, split, video, camera, identity (-2: not known), left, top, right, bottom; in order of
            frame and annotation.
        queries: the same columns, of the hand-drawn query boxes.
        people: known identities of each split.
        findings: what is wrong.
    """

    root: str
    frames: pd.DataFrame
    boxes: pd.DataFrame
    queries: pd.DataFrame
    people: dict[str, set[int]]
    findings: list[Finding]


def read_prw(path: str | Path) -> Dataset:
    """PRW as `import-prw` wrote it; raises InputError for PRW as published."""
    with Archive(path) as archive:
        if any("annotations/" in name and name.endswith(".jpg.mat") for name in archive.names()):
            raise InputError(
                f"{path} is PRW as published, whole frames: run `python -m pipelines import-prw --path {path} --out "
                "data/raw/prw.zip` and set dataset.path to data/raw/prw.zip"
            )
    return read_market1501(path)


def read_published(path: str | Path) -> Published:
    """Read frames, boxes, splits and queries, from a folder or a zip.

    Raises:
        FileNotFoundError: there are no folders `frames` and `annotations`.
        InputError: a file is missing or does not hold what it should; the message names it.
    """
    with Archive(path) as archive:
        root = find_root(archive, ("frames", "annotations"))
        people = {
            split: set(_variable(archive, f"{root}ID_{published}.mat").ravel().astype(int).tolist())
            for published, split in SPLITS.items()
        }
        frames = _frames(archive, root)
        findings = _compare(archive, root, list(frames["frame"]))
        sizes = {
            video: archive.size(f"{root}frames/{frame}.jpg")
            for video, frame in frames.groupby("video")["frame"].first().items()
        }
        annotations = [
            _annotation(archive, f"{root}annotations/{frame}.jpg.mat")
            for frame in progress(frames["frame"], "read annotations", "frame", len(frames))
        ]
        of_frame = np.repeat(np.arange(len(frames)), [len(rows) for rows in annotations])
        boxes = _boxes(frames.iloc[of_frame].reset_index(drop=True), np.concatenate(annotations), sizes)
        queries = _queries(archive, f"{root}query_info.txt", frames, sizes)
    return Published(root, frames, _visible(boxes, findings), _visible(queries, findings), people, findings)


def crops(published: Published) -> tuple[pd.DataFrame, dict[str, int]]:
    """The boxes that become images, with the column `image`, and how many are left out for which reason.

    An image is named as in Market-1501: `bounding_box_train/0012_c1s1_001051_01.jpg`. There is one image of a person in
    a frame, so that two images of a person are two frames (Sec. 3.3).
    """
    boxes = published.boxes
    known = boxes["identity"] > 0
    own = pd.Series(False, boxes.index)
    for split, people in published.people.items():
        own |= (boxes["split"] == split) & boxes["identity"].isin(people)
    twice = boxes.duplicated(["frame", "identity"], keep=False)
    taken = boxes[known & own & ~twice].reset_index(drop=True)
    named = zip(taken["split"], taken["identity"], taken["frame"], strict=True)
    taken["image"] = [f"{FOLDERS[split]}/{identity:04d}_{frame}_01.jpg" for split, identity, frame in named]
    left_out = {
        "people not known": int((~known).sum()),
        "people of the other split": int((known & ~own).sum()),
        "people annotated twice in one frame": int((known & own & twice).sum()),
    }
    return taken, left_out


def _frames(archive: Archive, root: str) -> pd.DataFrame:
    """Columns frame, split, video and camera of the listed frames, sorted."""
    rows = list[dict[str, Any]]()
    for published, split in SPLITS.items():
        file = f"{root}frame_{published}.mat"
        for cell in _variable(archive, file).ravel():
            frame = str(np.ravel(cell)[0]).removesuffix(".jpg")
            match = FRAME.fullmatch(frame)
            if match is None:
                raise InputError(f"{archive.path}: {file}: expected names such as c1s1_001051, got {frame!r}")
            rows.append({"frame": frame, "split": split, "video": match["video"], "camera": int(match["camera"])})
    frames = pd.DataFrame(rows).sort_values("frame", ignore_index=True)
    twice = frames.loc[frames["frame"].duplicated(), "frame"]
    if len(twice):
        raise InputError(f"{archive.path}: frame_train.mat and frame_test.mat list {twice.iloc[0]} twice")
    return frames


def _compare(archive: Archive, root: str, frames: list[str]) -> list[Finding]:
    """A finding for each frame that is not listed; raises InputError where a listed one has no image or annotation."""
    there = set(archive.names())
    needed = {f"{root}frames/{frame}.jpg" for frame in frames}
    needed |= {f"{root}annotations/{frame}.jpg.mat" for frame in frames}
    missing = sorted(needed - there)
    if missing:
        raise InputError(f"{archive.path}: {len(missing)} files are missing, e.g. {missing[0]}; unpack PRW again")
    others = sorted(name for name in there - needed if name.startswith(f"{root}frames/"))
    return [Finding(False, "listed neither for training nor for testing, left out", name) for name in others]


def _boxes(rows: pd.DataFrame, read: NDArray[np.float64], sizes: dict[Any, tuple[int, int]]) -> pd.DataFrame:
    """Frames' rows with identity and the box in whole pixels, from [identity, x, y, width, height]."""
    height, width = np.array([sizes[video] for video in rows["video"]], int).reshape(-1, 2).T
    left, top = np.floor(read[:, 1]), np.floor(read[:, 2])
    right, bottom = np.ceil(read[:, 1] + read[:, 3]), np.ceil(read[:, 2] + read[:, 4])
    return rows.assign(
        identity=read[:, 0].astype(int),
        left=np.clip(left, 0, width).astype(int),
        top=np.clip(top, 0, height).astype(int),
        right=np.clip(right, 0, width).astype(int),
        bottom=np.clip(bottom, 0, height).astype(int),
    )


def _visible(boxes: pd.DataFrame, findings: list[Finding]) -> pd.DataFrame:
    """The boxes that have an area inside their frame, and a finding for each other one."""
    inside = (boxes["right"] > boxes["left"]) & (boxes["bottom"] > boxes["top"])
    for row in boxes[~inside].itertuples():
        findings.append(Finding(False, "box without area in the frame, left out", str(row.frame)))
    return boxes[inside].reset_index(drop=True)


def _annotation(archive: Archive, name: str) -> NDArray[np.float64]:
    """Rows [identity, x, y, width, height] of one frame."""
    rows = _variable(archive, name, BOXES)
    if rows.size == 0:
        return np.empty((0, 5))
    if rows.ndim != 2 or rows.shape[1] != 5:
        raise InputError(f"{archive.path}: {name}: expected rows [identity, x, y, width, height], got {rows.shape}")
    return rows.astype(np.float64)


def _queries(archive: Archive, name: str, frames: pd.DataFrame, sizes: dict[Any, tuple[int, int]]) -> pd.DataFrame:
    """Query boxes from lines of `identity x y width height frame`, with the image's name."""
    known = frames.set_index("frame")
    rows, read, seen = list[dict[str, Any]](), list[list[float]](), set[str]()
    for number, line in enumerate(archive.read(name).decode().splitlines(), 1):
        words = line.split()
        if not words:
            continue
        try:
            identity, frame, box = int(words[0]), words[5].removesuffix(".jpg"), [float(word) for word in words[1:5]]
            row = known.loc[frame]
        except (ValueError, IndexError, KeyError) as error:
            raise InputError(
                f"{archive.path}: {name}:{number}: expected `identity x y width height frame` with a listed frame, got "
                f"{line!r} ({error})"
            ) from error
        image = f"query/{identity:04d}_{frame}_00.jpg"
        if image in seen:
            raise InputError(f"{archive.path}: {name}:{number}: a second query of person {identity} in {frame}")
        seen.add(image)
        rows.append({"frame": frame, "image": image, **{str(key): value for key, value in row.items()}})
        read.append([identity, *box])
    if not rows:
        raise InputError(f"{archive.path}: {name} lists no query")
    return _boxes(pd.DataFrame(rows), np.array(read), sizes)


def _variable(archive: Archive, name: str, wanted: tuple[str, ...] = ()) -> NDArray[Any]:
    """A variable of a MATLAB file: the first of those wanted that is there, or the only one."""
    from scipy.io import loadmat  # takes longer to import than processes that only need DATASETS should wait
    from scipy.io.matlab import MatReadError

    try:
        found = {key: value for key, value in loadmat(io.BytesIO(archive.read(name))).items() if key[:2] != "__"}
    except (MatReadError, ValueError, NotImplementedError, TypeError) as error:
        raise InputError(f"{archive.path}: {name} is not a MATLAB file that can be read: {error}") from error
    chosen = [key for key in wanted if key in found] or ([] if wanted else list(found))
    if not chosen or (not wanted and len(chosen) > 1):
        expected = f"one of {', '.join(wanted)}" if wanted else "one variable"
        raise InputError(f"{archive.path}: {name}: expected {expected}, it has {', '.join(found) or 'none'}")
    return found[chosen[0]]
