"""PRW as published (v16.04.20): whole frames of six static cameras, with a box around each person.

`python -m pipelines import-prw` cuts out the people, with backgrounds, into an archive in Market-1501's layout, which
`read_prw` then reads. Sec. 3.3 of the journal paper trains on it: because the cameras are static, a frame in which
nobody stands at a person's place shows the background of that person.
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
from reid.files.lists import lines

FRAME = re.compile(r"(?P<video>c(?P<camera>\d)s\d)_\d{6}")
BOXES = ("box_new", "anno_file", "anno_previous")  # names of the variable that holds a frame's boxes, the newest first
BOX = ["left", "top", "right", "bottom"]
SPLITS = {"train": "train", "test": "gallery"}  # PRW's names of the splits, and ours
FOLDERS = {"train": "bounding_box_train", "gallery": "bounding_box_test"}


@dataclass(frozen=True)
class Published:
    """The contents of PRW's files.

    Convention: boxes are half open, in whole pixels of the frame: x from left to right - 1, y from top to bottom - 1. A
    box has every pixel that the published box touches, cut at the edge of the frame.

    Args:
        root: what stands before the data set's folders in their paths inside the archive.
        frames: columns frame (its name without `.jpg`), split (train or gallery), video (e.g. `c1s1`), camera; sorted.
        boxes: columns frame, split, video, camera, identity (-2: unknown), left, top, right, bottom; in order of frame
            and annotation.
        queries: the same columns and `image`, of the hand-drawn query boxes.
        people: known identities of each split.
        findings: faults.
    """

    root: str
    frames: pd.DataFrame
    boxes: pd.DataFrame
    queries: pd.DataFrame
    people: dict[str, set[int]]
    findings: list[Finding]


def read_prw(path: str | Path) -> Dataset:
    """Read PRW as `import-prw` wrote it; raises InputError for PRW as published."""
    with Archive(path) as archive:
        if any("annotations/" in name and name.endswith(".jpg.mat") for name in archive.names()):
            raise InputError(
                f"{path} is PRW as published, whole frames: run `python -m pipelines import-prw --path {path} --out "
                "data/raw/prw.zip` and set dataset.path to data/raw/prw.zip"
            )
    return read_market1501(path)


def read_published(path: str | Path) -> Published:
    """Read frames, boxes, splits and queries of PRW as published, from a folder or a zip.

    Raises:
        FileNotFoundError: there are no folders `frames` and `annotations`.
        InputError: a file is missing or damaged; the message names it.
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
        frame_of_box = np.repeat(np.arange(len(frames)), [len(of_frame) for of_frame in annotations])
        boxes = _boxes(frames.iloc[frame_of_box].reset_index(drop=True), np.concatenate(annotations), sizes)
        queries = _queries(archive, f"{root}query_info.txt", frames, sizes)
    return Published(root, frames, _visible(boxes, findings), _visible(queries, findings), people, findings)


def crops(published: Published) -> tuple[pd.DataFrame, dict[str, int]]:
    """The boxes that become images, with their names in the column `image`, and the numbers left out for each reason.

    An image is named as in Market-1501: `bounding_box_train/0012_c1s1_001051_01.jpg`. A person has at most one image in
    a frame, so that a pair of a person's images always is of two frames (Sec. 3.3).
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
    entries = list[dict[str, Any]]()
    for published, split in SPLITS.items():
        file = f"{root}frame_{published}.mat"
        for cell in _variable(archive, file).ravel():
            frame = str(np.ravel(cell)[0]).removesuffix(".jpg")
            match = FRAME.fullmatch(frame)
            if match is None:
                raise InputError(f"{archive.path}: {file}: expected names such as c1s1_001051, got {frame!r}")
            entries.append({"frame": frame, "split": split, "video": match["video"], "camera": int(match["camera"])})
    frames = pd.DataFrame(entries).sort_values("frame", ignore_index=True)
    twice = frames.loc[frames["frame"].duplicated(), "frame"]
    if len(twice):
        raise InputError(
            f"{archive.path}: frame_train.mat and frame_test.mat list {twice.iloc[0]} twice; unpack PRW again"
        )
    return frames


def _compare(archive: Archive, root: str, frames: list[str]) -> list[Finding]:
    """A finding for each image of an unlisted frame; raises InputError where a listed frame's files are missing."""
    existing = set(archive.names())
    needed = {f"{root}frames/{frame}.jpg" for frame in frames}
    needed |= {f"{root}annotations/{frame}.jpg.mat" for frame in frames}
    missing = sorted(needed - existing)
    if missing:
        raise InputError(f"{archive.path}: {len(missing)} files are missing, e.g. {missing[0]}; unpack PRW again")
    others = sorted(name for name in existing - needed if name.startswith(f"{root}frames/"))
    return [Finding(False, "listed neither for training nor for testing, left out", name) for name in others]


def _boxes(frames: pd.DataFrame, read: NDArray[np.float64], sizes: dict[Any, tuple[int, int]]) -> pd.DataFrame:
    """The table of boxes in whole pixels.

    Args:
        frames: for each of N boxes the columns of its frame.
        read: (N, 5) identity, x, y, width, height as published.
        sizes: (H, W) of the frames of each video.
    """
    height, width = np.array([sizes[video] for video in frames["video"]], int).reshape(-1, 2).T
    left, top = np.floor(read[:, 1]), np.floor(read[:, 2])
    right, bottom = np.ceil(read[:, 1] + read[:, 3]), np.ceil(read[:, 2] + read[:, 4])
    return frames.assign(
        identity=read[:, 0].astype(int),
        left=np.clip(left, 0, width).astype(int),
        top=np.clip(top, 0, height).astype(int),
        right=np.clip(right, 0, width).astype(int),
        bottom=np.clip(bottom, 0, height).astype(int),
    )


def _visible(boxes: pd.DataFrame, findings: list[Finding]) -> pd.DataFrame:
    """The boxes that have pixels inside their frame; the others become findings."""
    inside = (boxes["right"] > boxes["left"]) & (boxes["bottom"] > boxes["top"])
    for frame in boxes.loc[~inside, "frame"]:
        findings.append(Finding(False, "box without a pixel inside the frame, left out", frame))
    return boxes[inside].reset_index(drop=True)


def _annotation(archive: Archive, name: str) -> NDArray[np.float64]:
    """The boxes of one frame (N, 5): identity, x, y, width, height."""
    boxes = _variable(archive, name, BOXES)
    if boxes.size == 0:
        return np.empty((0, 5))
    if boxes.ndim != 2 or boxes.shape[1] != 5:
        raise InputError(
            f"{archive.path}: {name}: expected an array (N, 5) of identity, x, y, width, height, got {boxes.shape}; "
            "unpack PRW again"
        )
    return boxes.astype(np.float64)


def _queries(archive: Archive, name: str, frames: pd.DataFrame, sizes: dict[Any, tuple[int, int]]) -> pd.DataFrame:
    """The table of query boxes, with the column `image`, from lines of `identity x y width height frame`."""
    known = frames.set_index("frame")
    entries, read, seen = list[dict[str, Any]](), list[list[float]](), set[str]()
    for number, line in lines(archive.read(name), f"{archive.path}: {name}"):
        words = line.split()
        try:
            identity, frame, box = int(words[0]), words[5].removesuffix(".jpg"), [float(word) for word in words[1:5]]
            columns = known.loc[frame]
        except (ValueError, IndexError, KeyError) as error:
            raise InputError(
                f"{archive.path}: {name}:{number}: expected `identity x y width height frame` with a listed frame, got "
                f"{line!r} ({error})"
            ) from error
        image = f"query/{identity:04d}_{frame}_00.jpg"
        if image in seen:
            raise InputError(
                f"{archive.path}: {name}:{number}: a second query of person {identity} in {frame}; remove one"
            )
        seen.add(image)
        entries.append({"frame": frame, "image": image, **{str(key): value for key, value in columns.items()}})
        read.append([identity, *box])
    if not entries:
        raise InputError(f"{archive.path}: {name} lists no query; unpack PRW again")
    return _boxes(pd.DataFrame(entries), np.array(read), sizes)


def _variable(archive: Archive, name: str, wanted: tuple[str, ...] = ()) -> NDArray[Any]:
    """A variable of a MATLAB file: the first of the wanted names that it has, or without any the only variable."""
    from scipy.io import loadmat  # slow to import, and most users of DATASETS need no PRW

    try:
        content = {key: value for key, value in loadmat(io.BytesIO(archive.read(name))).items() if key[:2] != "__"}
    except MemoryError:
        raise
    except Exception as error:  # whatever a damaged file makes the reader do
        raise InputError(f"{archive.path}: {name} is not a readable MATLAB file ({error}); unpack PRW again") from error
    chosen = [key for key in wanted if key in content] or ([] if wanted else list(content))
    if not chosen or (not wanted and len(chosen) > 1):
        expected = f"one of {', '.join(wanted)}" if wanted else "one variable"
        raise InputError(f"{archive.path}: {name}: expected {expected}, it has {', '.join(content) or 'none'}")
    return content[chosen[0]]
