"""The pose estimator BlazePose (its full model), run by ai-edge-litert from the file inside the mediapipe wheel."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field

from augment.poses.pose import INDEX, JOINTS, MIRRORED, Pose
from reid.common.parameters import Positive, Share
from reid.common.progress import progress
from reid.common.workers import workers
from reid.files import weights
from reid.files.images import Archive

SIDE = 256  # pixels of the network's square input
OUTPUTS = 39  # landmarks that the network gives, each with x, y, z, visibility, presence
# The landmark of each joint; the neck, which has none, is the middle of the shoulders.
LANDMARK = {
    "nose": 0,
    "right_shoulder": 12,
    "right_elbow": 14,
    "right_wrist": 16,
    "left_shoulder": 11,
    "left_elbow": 13,
    "left_wrist": 15,
    "right_hip": 24,
    "right_knee": 26,
    "right_ankle": 28,
    "left_hip": 23,
    "left_knee": 25,
    "left_ankle": 27,
    "right_eye": 5,
    "left_eye": 2,
    "right_ear": 8,
    "left_ear": 7,
}


class BlazePose:
    """Estimates the pose of the person whom an image was cropped to; no person detector runs.

    The image is padded to a square by repeating its border and scaled to 256 pixels; joints are the mean of the image's
    and the mirrored image's. The visibility that the network gives hardly tells hidden joints from others, so every
    joint inside the image counts as visible, unless the network sees no person: then no joint does.
    """

    def __init__(
        self,
        # Side of the square by the image's height, or the image's width if that is more; the best of 1 to 1.5 on
        # rendered crops.
        padding: Annotated[float, Field(ge=1)] = 1.3,
        person: Share = 0.5,  # probability of a person from which joints count as visible
        processes: Positive = 2,  # that work in parallel, in one thread each; 1 is this process
    ):
        self.padding, self.person, self.processes = padding, person, processes

    def estimate(self, table: pd.DataFrame) -> Pose:
        """Poses (N, 18), in parallel over images; the same for any number of processes."""
        model = str(weights.locate("blazepose-full"))
        images = list(zip(table["archive"], table["image"], strict=True))
        with ExitStack() as stack:
            if self.processes > 1:
                pool = stack.enter_context(workers(self.processes, _start_worker, model, self.padding))
                estimates = pool.map(_estimate_one, images, chunksize=16)
            else:
                estimates = map(stack.enter_context(_Worker(model, self.padding)), images)
            results = list(progress(estimates, "estimate poses", "image", len(images)))
        joints = torch.from_numpy(np.array([r[0] for r in results], np.float32).reshape(-1, len(JOINTS), 2))
        size = torch.tensor([r[2] for r in results]).view(-1, 1, 2)
        inside = ((joints > -0.5) & (joints < size - 0.5)).all(-1)
        person = torch.tensor([r[1] > self.person for r in results])
        return Pose(joints, inside & person[:, None])


class Landmarker:
    """The landmark network in an interpreter of one thread."""

    def __init__(self, model: str | Path, padding: float):
        from ai_edge_litert.interpreter import Interpreter

        self.interpreter = Interpreter(str(model), num_threads=1)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]["index"]
        outputs = {tuple(out["shape"]): out["index"] for out in self.interpreter.get_output_details()}
        self.landmarks, self.person = outputs[(1, 5 * OUTPUTS)], outputs[(1, 1)]
        self.padding = padding

    def __call__(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float64], float]:
        """Joints (18, 2), x then y in pixels of the image (H, W, 3), and the probability that it shows a person."""
        import cv2

        height, width = image.shape[:2]
        scale = SIDE / max(self.padding * height, width)
        shift = (SIDE / 2 - scale * width / 2, SIDE / 2 - scale * height / 2)
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        square = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        plain, person = self._run(square)
        mirrored, person_mirrored = self._run(square[:, ::-1])
        mirrored[:, 0] = SIDE - 1 - mirrored[:, 0]
        joints = (plain + mirrored[list(MIRRORED)]) / 2
        return (joints - shift) / scale, (person + person_mirrored) / 2

    def _run(self, square: NDArray[Any]) -> tuple[NDArray[np.float64], float]:
        """Joints (18, 2) in pixels of the square image, and the probability of a person, for one pass."""
        self.interpreter.set_tensor(self.input, np.ascontiguousarray(square, np.float32)[None] / 255)
        self.interpreter.invoke()
        landmarks = self.interpreter.get_tensor(self.landmarks).reshape(OUTPUTS, 5)[:, :2].astype(np.float64)
        joints = np.zeros((len(JOINTS), 2))
        for name, landmark in LANDMARK.items():
            joints[INDEX[name]] = landmarks[landmark]
        joints[INDEX["neck"]] = (joints[INDEX["right_shoulder"]] + joints[INDEX["left_shoulder"]]) / 2
        return joints, float(self.interpreter.get_tensor(self.person)[0, 0])


Estimate = tuple[NDArray[np.float64], float, tuple[int, int]]  # joints (18, 2), probability of a person, (W, H)


class _Worker(ExitStack):
    """A landmarker, and the archives that it has opened, until it is left."""

    def __init__(self, model: str, padding: float):
        super().__init__()
        self.landmarker, self.archives = Landmarker(model, padding), dict[str, Archive]()

    def __call__(self, archive_and_name: tuple[str, str]) -> Estimate:
        """What is estimated of an image."""
        path, name = archive_and_name
        if path not in self.archives:
            self.archives[path] = self.enter_context(Archive(path))
        image = self.archives[path].image(name)
        return *self.landmarker(image), (image.shape[1], image.shape[0])


_worker: _Worker | None = None  # of a worker process


def _start_worker(model: str, padding: float) -> None:
    global _worker
    _worker = _Worker(model, padding)


def _estimate_one(archive_and_name: tuple[str, str]) -> Estimate:
    assert _worker is not None
    return _worker(archive_and_name)
