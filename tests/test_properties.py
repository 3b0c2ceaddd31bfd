"""Damaged files and odd arguments: readers and public functions give a right answer or a documented error, never NaN.

`make torture` tries many more of them (docs/reliability.md).
"""

import io
import json
import os
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import official
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from poses import random_poses
from scipy.spatial.distance import cdist

from augment.poses import table as pose_table
from augment.poses.annotation_files import read_annotations, write_annotations
from augment.poses.estimators.truth import Truth
from pipelines import params
from reid.common.errors import InputError
from reid.common.saved import load_json, load_tensors, save_tensors
from reid.datasets import DATASETS
from reid.distances import DISTANCES
from reid.evaluation.features import normalise
from reid.evaluation.ranking import evaluate
from reid.evaluation.search import nearest
from reid.evaluation.significance import compare, resampled_means
from reid.export import manifest
from reid.export.shards import shard_faults
from reid.files import samples
from reid.files.images import Archive, decode, encode_jpeg, stored_size

EXAMPLES = int(os.environ.get("EXAMPLES", "40"))
settings.register_profile(
    "project",
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize="EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("project")

share = st.floats(0, 1, exclude_max=True)
edits = st.lists(st.tuples(share, st.integers(0, 255)), max_size=6)


@st.composite
def damage(draw, whole):
    """The bytes with some of them changed, cut off, doubled or put in; or the bytes as they are."""
    data = bytearray(whole)
    for place, value in draw(edits):
        if data:
            data[int(place * len(data))] = value
    kind = draw(st.sampled_from(["", "cut", "insert", "double"]))
    at = int(draw(share) * (len(data) + 1))
    if kind == "cut":
        del data[at:]
    elif kind == "insert":
        data[at:at] = draw(st.binary(max_size=20))
    elif kind == "double":
        data[at:at] = data[at : at + 50]
    return bytes(data)


def answer(work, *arguments, errors=(InputError, FileNotFoundError)):
    """What a function gives; None where it raises an error that it documents, with something to say."""
    try:
        return work(*arguments)
    except errors as error:
        said = str(error)
    assert len(said) > 20
    return None


def written(tmp_path_factory, name, data):
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(data)
    return path


# Images.

PICTURE = np.random.default_rng(0).integers(0, 256, (24, 12, 3)).astype(np.uint8)


def encoded(form, mode):
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(PICTURE).convert(mode).save(buffer, form)
    return buffer.getvalue()


IMAGES = [encode_jpeg(PICTURE), *(encoded(form, mode) for form, mode in (("PNG", "RGBA"), ("PNG", "P"), ("BMP", "RGB"),
          ("WEBP", "RGB"), ("TIFF", "L"), ("GIF", "P")))]  # fmt: skip


@given(st.sampled_from(IMAGES).flatmap(damage))
def test_images(data):
    image = answer(decode, data, "a.jpg")
    if image is not None:
        assert (image.dtype, image.ndim, image.shape[2]) == (np.uint8, 3, 3)
        assert stored_size(io.BytesIO(data), "a.jpg") == image.shape[:2]


def a_zip():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("query/a.jpg", IMAGES[0])
        archive.writestr("list.txt", "a.jpg 1\n" * 20)
    return buffer.getvalue()


@given(damage(a_zip()))
def test_zips(tmp_path_factory, data):
    def names_and_bytes(path):
        with Archive(path) as archive:
            return {name: answer(archive.read, name) for name in archive.names()}

    found = answer(names_and_bytes, written(tmp_path_factory, "a.zip", data))
    assert found is None or all(content is None or isinstance(content, bytes) for content in found.values())


# Tables and lists.

POSES = random_poses(2, 0)

TABLE = samples.real_table(["a.jpg", "b.jpg"], "set.zip", [1, 2], [1, 2])


def bytes_of(write, suffix):
    path = Path("/tmp") / f"properties-{os.getpid()}{suffix}"
    write(path)
    data = path.read_bytes()
    path.unlink()
    return data


@given(damage(bytes_of(lambda path: samples.write(TABLE, path), ".parquet")))
def test_sample_tables(tmp_path_factory, data):
    table = answer(samples.read, written(tmp_path_factory, "a.parquet", data))
    assert table is None or list(table.columns)[:9] == list(samples.COLUMNS)


@given(damage(bytes_of(lambda path: pose_table.write(["a", "b"], [(128, 64)] * 2, POSES, path), ".parquet")))
def test_pose_tables(tmp_path_factory, data):
    poses = answer(pose_table.read, written(tmp_path_factory, "a.parquet", data), ["a", "b"], (128, 64))
    assert poses is None or bool(poses.joints.isfinite().all())


@given(damage(bytes_of(lambda path: write_annotations(["a.jpg", "b.jpg"], POSES, path), ".csv")))
def test_annotations(tmp_path_factory, data):
    poses = answer(read_annotations, written(tmp_path_factory, "a.csv", data))
    assert poses is None or all(bool(pose.joints.isfinite().all()) for pose in poses.values())


MANIFEST = manifest.typed(
    TABLE.assign(
        split="train", sha256="0", **dict.fromkeys(set(manifest.COLUMNS) - {*TABLE.columns, "split", "sha256"})
    )
)


@pytest.mark.parametrize("name", [manifest.PARQUET, manifest.CSV])
@given(changes=st.data())
def test_manifests(tmp_path_factory, name, changes):
    data = changes.draw(damage(manifest.encode(MANIFEST)[name]))
    folder = written(tmp_path_factory, name, data).parent
    table = answer(lambda: manifest.read(Archive(folder), name))
    assert table is None or list(table.columns) == list(manifest.COLUMNS)


CSV = b"image,identity,camera,split\na.jpg,7,1,train\nb.jpg,7,2,train\nc.jpg,8,1,query\nd.jpg,8,2,gallery\n"


@given(damage(CSV))
def test_listed_data_sets(tmp_path_factory, data):
    folder = written(tmp_path_factory, "images.csv", data).parent
    for image in "abcd":
        (folder / f"{image}.jpg").write_bytes(IMAGES[0])
    dataset = answer(DATASETS["listed"], folder)
    assert dataset is None or sum(map(len, dataset.tables.values())) <= 4


TRUTH = json.dumps({"images": [{"image": "a.jpg", "joints": [[1.0, 2.0]] * 18, "visible": [1] * 18}]}).encode()


@given(damage(TRUTH))
def test_true_joints(tmp_path_factory, data):
    folder = written(tmp_path_factory, "truth.json", data).parent
    (folder / "a.jpg").write_bytes(IMAGES[0])
    table = samples.real_table(["a.jpg"], str(folder), [1], [1])
    poses = answer(Truth().estimate, table)
    assert poses is None or bool(poses.joints.isfinite().all())


# Saved state.


@given(damage(bytes_of(lambda path: save_tensors({"a": torch.arange(300.0), "b": 3}, path), ".pt")))
def test_tensors(tmp_path_factory, data):
    found = answer(load_tensors, written(tmp_path_factory, "a.pt", data), "make it again")
    if isinstance(found, dict) and "a" in found:
        assert found["a"].tolist() == list(range(300)), "a checksum finds what is changed"


@given(damage(b'{"name": "full", "scores": {"ssim": 0.5, "pairs": [1, 2, 3]}}'))
def test_json(tmp_path_factory, data):
    found = answer(load_json, written(tmp_path_factory, "a.json", data), ("name", "scores"), "make it again")
    assert found is None or {"name", "scores"} <= set(found)


def a_shard():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in ("a.jpg", "b.jpg"):
            header = tarfile.TarInfo(name)
            header.size = len(IMAGES[0])
            tar.addfile(header, io.BytesIO(IMAGES[0]))
    return buffer.getvalue()


@given(damage(a_shard()))
def test_shards(data):
    for finding in shard_faults(MANIFEST, [("shards/train-000000.tar", data)]):
        assert finding.what
        assert finding.where


# Parameters.

DEMO = Path("profiles/demo.yaml").read_bytes()
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(damage(DEMO))
def test_parameters(tmp_path_factory, data):
    found = answer(params.load, written(tmp_path_factory, "params.yaml", data))
    assert found is None or min(found.alphas) >= 2


@given(st.dictionaries(st.sampled_from([*params.Params.model_fields, "more"]), values, max_size=4))
def test_values_of_parameters(changes):
    from commands import small_params

    found = answer(params.check, small_params() | changes, "params.yaml")
    assert found is None or isinstance(found, params.Params)


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        "a: &a [x]\n" + "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}' if n else '*a'] * 9)}]\n" for n in range(9)),
        "a: .inf\nb: 1" + "0" * 5000,
        "profile: demo\nprofile: demo",
        "a: 2001-99-99",
        "\x00",
        "x" * 2_000_000,
    ],
)
def test_yaml_that_is_meant_to_harm(tmp_path, content):
    (tmp_path / "params.yaml").write_text(content)
    with pytest.raises(InputError):
        params.load(tmp_path / "params.yaml")


# Numbers.

numbers = st.floats(width=32) | st.integers(-3, 3).map(float)
sizes = st.integers(0, 6)


@st.composite
def arrays(draw, rows=sizes, columns=sizes, elements=numbers):
    shape = (draw(rows), draw(columns))
    return np.array(draw(st.lists(elements, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1])),
                    np.float32).reshape(shape)  # fmt: skip


labels = st.lists(st.integers(-1, 4), max_size=6)


@given(arrays(), labels, labels, labels, labels)
def test_ranking(distances, query, query_cameras, gallery, gallery_cameras):
    found = answer(evaluate, distances, query, query_cameras, gallery, gallery_cameras)
    if found is not None:
        told = (np.array(own) for own in (query, query_cameras, gallery, gallery_cameras))
        cmc, precisions = official(distances, *told)
        assert found.mean_ap_trapezoid == pytest.approx(precisions.mean())
        assert found.cmc[: len(cmc)] == pytest.approx(cmc)


@given(arrays(), arrays(), st.integers(-1, 8))
def test_search(query, gallery, count):
    found = answer(nearest, query, gallery, count)
    if found is not None and len(found) and np.abs(np.concatenate([query, gallery])).max(initial=0) < 1e3:
        distances = cdist(query, gallery)
        for row, order in zip(distances, found, strict=True):
            assert row[order] == pytest.approx(np.sort(row)[: len(order)], abs=1e-2)


finite = st.floats(-3, 3, width=32)


@pytest.mark.parametrize("name", DISTANCES)
@given(drawn=st.data())
def test_distances(name, drawn):
    anything = drawn.draw(st.booleans())
    elements = numbers if anything else finite
    query, gallery, training = (drawn.draw(arrays(elements=elements)) for _ in range(3))
    people, cameras = drawn.draw(labels), drawn.draw(labels)

    def matrix():
        made = DISTANCES[name](**({"seed": 0} if DISTANCES[name].learns else {}))
        if DISTANCES[name].learns:
            made.fit(training, people, cameras)
        return made.matrix(query, gallery)

    with np.errstate(all="ignore"):
        found = answer(matrix)
    if found is not None:
        assert found.shape == (len(query), len(gallery))
        if not anything:
            assert np.isfinite(found).all()


@given(arrays(elements=finite))
def test_normalising(features):
    found = answer(normalise, features)
    if found is not None:
        lengths = np.linalg.norm(found.astype(float), axis=1)
        assert np.isclose(lengths, 1, atol=1e-3)[(np.abs(features) > 1e-6).any(1)].all()


@given(st.lists(st.tuples(numbers, numbers), max_size=12))
def test_significance(pairs):
    values = np.array(pairs, float).reshape(-1, 2)
    with np.errstate(all="ignore"):
        people = np.arange(len(values)) // 2
        means = resampled_means(values, people, draws=99) if len(values) else np.zeros((99, 2))
        found = answer(compare, *values.T, *means.T, people)
    if found is not None:
        assert 0 < found.p <= 1
        assert found.low <= found.mean <= found.high or np.isinf(found.mean)


def test_a_table_of_pandas_is_taken():
    table = pd.DataFrame({"x": [0.0, 1.0], "y": [1.0, 0.0]})
    assert nearest(table, table, 1).ravel().tolist() == [0, 1]
