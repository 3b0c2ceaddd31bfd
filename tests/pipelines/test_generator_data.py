"""Data sets that are there for generators, by the commands of the stages."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import prw_files
import pytest
from commands import run, small_params
from poses import random_poses
from ruamel.yaml import YAML

from augment.data.pairs import all_pairs
from augment.data.tuples import Tuples
from augment.methods import Needs
from augment.poses import table as pose_table
from augment.poses.annotation_files import write_annotations
from augment.poses.estimators.truth import Truth
from pipelines import layout
from pipelines.people import places, read_people
from reid.common.errors import InputError
from reid.datasets import DATASETS
from reid.datasets.deepfashion_names import annotated_name
from reid.files import samples
from reid.files.images import Archive, background_name, decode, write_zip


def write_params(name, path, estimator):
    params = small_params()
    params.update(dataset={"name": name, "path": path})
    params["pose"]["estimator"] = estimator
    params["pose"]["annotations"]["files"] = [f"{path}/annotation-train.csv", f"{path}/annotation-test.csv"]
    YAML().dump(params, Path("params.yaml"))


@pytest.fixture
def fashion(tmp_path, monkeypatch, tiny_zip):
    """The people of the tiny set under DeepFashion's published names: an image's identity is its item."""
    monkeypatch.chdir(tmp_path)
    tables = DATASETS["streets"](tiny_zip).tables
    with Archive(tiny_zip) as archive:
        for split, rows in (("train", tables["train"]), ("test", tables["gallery"])):
            rows = rows[rows["identity"] > 0]
            paths = []
            for row in rows.itertuples():
                view = f"02_1_{'abcdefghijklmnopqrstuvwxyz'[len(paths) % 26]}.jpg"
                paths.append(f"WOMEN/Tees_Tanks/id_{row.identity:08d}/{view}")
                file = Path("data/raw/fashion/img", paths[-1])
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(archive.read(row.image))
            names = [annotated_name(name) for name in paths]
            write_annotations(names, Truth().estimate(rows), Path(f"data/raw/fashion/annotation-{split}.csv"))
    write_params("deepfashion", "data/raw/fashion", "annotations")


def test_a_generator_trains_on_deepfashion(fashion):
    assert "test items also in train: 0" in run("prepare")
    summary = json.loads(Path("data/samples/summary.json").read_text())
    assert summary["query"]["images"] == summary["test_images_left_out"] == 0
    assert summary["train"]["identities"] == 4
    run("estimate-poses")
    run("pair")
    pairs, train = pd.read_parquet("data/pairs/train.parquet"), samples.read(Path("data/samples/train.parquet"))
    assert set(pairs["source"]) <= set(train["image"])
    folders = [pairs[column].str.rsplit("/", n=1).str[0] for column in ("source", "target")]
    assert (folders[0] == folders[1]).all(), "the same item"
    run("train-gan", "full")
    assert Path("data/gan/full/weights.pt").exists()


def test_people_of_one_image_each_give_no_pairs(project):
    run("prepare")
    run("estimate-poses")
    gallery = samples.read(layout.samples("gallery"))
    samples.write_parquet(gallery.drop_duplicates("identity"), layout.samples("gallery"))
    said = "test: no person has two images in gallery, and generators are tested on pairs of them: give at least"
    assert said in run("pair", fails=True)


@pytest.mark.parametrize(
    "words",
    [
        ("augment", "full", "--alpha", 2),
        ("augment", "identities", "--alpha", 2),
        ("train-reid", "ide", "--out", "data/reid/real-ide"),
        ("evaluate", "ide", "--model", "data/reid/real-ide", "--out", "data/scores/real-ide.json"),
    ],
)
def test_stages_of_reid_refuse_it(fashion, words):
    assert "dataset.name is deepfashion, which has no cameras and no queries" in run(*words, fails=True)


def test_backgrounds_are_read_beside_the_images(tmp_path, monkeypatch, tiny_zip):
    monkeypatch.chdir(tmp_path)
    with Archive(tiny_zip) as archive:
        members = {name: archive.read(name) for name in archive.names() if not name.startswith("backgrounds/")}
    people = [name for name in members if name.startswith("bounding_box_")]
    others = dict(zip(people, people[1:] + people[:1], strict=True))  # stands for the image's background
    backgrounds = {f"backgrounds/{Path(name).name}": members[other] for name, other in others.items()}
    write_zip(Path("data/raw/with.zip"), (members | backgrounds).items())
    write_zip(Path("data/raw/without.zip"), members.items())

    write_params("streets", "data/raw/with.zip", "truth")
    run("prepare")
    run("estimate-poses")
    table = samples.read(Path("data/samples/train.parquet"))
    read = read_people(table, (128, 64), Needs(background=True)).backgrounds
    for row, image in enumerate(table["image"]):
        assert (read[row].permute(1, 2, 0).numpy() == decode(members[others[image]], image)).all()
    assert read_people(table, (128, 64)).backgrounds is None

    write_params("streets", "data/raw/without.zip", "truth")
    run("prepare")
    table = samples.read(Path("data/samples/train.parquet"))
    lacking = rf"without.zip has no background of {len(table)} of {len(table)} images, e.g. backgrounds/0001_c"
    with pytest.raises(InputError, match=lacking):
        read_people(table, (128, 64), Needs(background=True))
    optional = Needs(background=True, background_optional=True)
    assert read_people(table, (128, 64), optional).backgrounds is None

    del backgrounds[background_name(table["image"][0])]
    write_zip(Path("data/raw/without.zip"), (members | backgrounds).items())
    with pytest.raises(InputError, match=rf"without.zip has no background of 1 of {len(table)} images"):
        read_people(table, (128, 64), optional)


def test_backgrounds_lie_beside_the_images_folder():
    name = "0002_c1s1_000451_03.jpg"
    assert background_name(f"bounding_box_train/{name}") == f"backgrounds/{name}"
    assert background_name(f"Market/bounding_box_test/{name}") == f"Market/backgrounds/{name}"


def free_frames(image, rows, occupied):
    """Frames of an image's video and split without anybody on its area; the area; all found pixel by pixel."""
    frame = Path(image).stem[5:16]
    (row,) = (row for row in rows[frame] if row[0] == int(Path(image).name[:4]))
    area = prw_files.touched(frame, row)
    split = prw_files.names("train" if "train" in image else "test")
    return {other for other in split if other[:4] == frame[:4] and not occupied[other][area].any()}


def test_triplets_from_prw(tmp_path, monkeypatch):
    """Sec. 3.3: two frames of a person, and the second one's place in a frame of its video where nobody is."""
    monkeypatch.chdir(tmp_path)
    rows = prw_files.annotations(2)
    occupied = prw_files.write(Path("data/raw/PRW"), rows)
    output = run("import-prw", "--path", "data/raw/PRW", "--out", "data/raw/prw.zip", "--size", 32, 16)
    assert "data/raw/prw.zip" in output
    write_params("prw", "data/raw/prw.zip", "truth")
    run("prepare")
    table = samples.read(Path("data/samples/train.parquet"))
    pose_table.write(list(table["image"]), [(32, 16)] * len(table), random_poses(len(table), 0), layout.poses())
    people = read_people(table, (32, 16), Needs(background=True))
    pairs = all_pairs(table, np.ones(len(table), bool))
    batch = people.batch(Tuples.of_pairs(*places(pairs, table).unbind(1)))

    # A frame's red says which one it is, and green is where somebody stands.
    means = ((batch.background + 1) * 127.5).mean((2, 3))
    frames = sorted(rows)
    videos = 0
    for number, pair in enumerate(pairs.itertuples()):
        seen = min(frames, key=lambda frame: abs(prw_files.colour(frame) - means[number, 0].item()))
        assert abs(prw_files.colour(seen) - means[number, 0].item()) < 2.5
        assert means[number, 1] < 2, "nobody is to be seen"
        assert seen in free_frames(pair.target, rows, occupied)
        names = [Path(image).name for image in (pair.source, pair.target)]
        assert names[0][:4] == names[1][:4]
        assert names[0][5:16] != names[1][5:16]
        videos += names[0][5:9] != names[1][5:9]
    assert videos > 0, "some pairs are of two videos"
    people_seen = ((batch.target + 1) * 127.5).mean((2, 3))
    assert (people_seen[:, 1] > 200).all()

    beside = prw_files.names("train")[1]
    assert f"1 x box without a pixel inside the frame, left out, e.g. {beside}" in output
    lost = [i for i in prw_images(rows) if not free_frames(i, rows, occupied)]
    assert lost
    assert f"{len(lost)} people in whose place somebody is in every frame of the video" in output
    kept = {image for split in ("train", "gallery") for image in samples.read(layout.samples(split))["image"]}
    assert kept == set(prw_images(rows)) - set(lost)


def prw_images(rows):
    """The images that PRW's own people of each split make: those in one box of a frame."""
    for split, people, folder in (
        ("train", prw_files.TRAIN, "bounding_box_train"),
        ("test", prw_files.TEST, "bounding_box_test"),
    ):
        for frame in prw_files.names(split):
            shown = [int(row[0]) for row in rows[frame] if prw_files.touched(frame, row).any()]
            for person in shown:
                if person in people and shown.count(person) == 1:
                    yield f"{folder}/{person:04d}_{frame}_01.jpg"


def test_importing_prw_twice_gives_the_same_bytes_and_spares_what_is_there(tmp_path):
    prw_files.write(tmp_path / "PRW", prw_files.annotations(2))
    for name in ("a", "b"):
        run("import-prw", "--path", tmp_path / "PRW", "--out", tmp_path / f"{name}.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    again = ("import-prw", "--path", tmp_path / "PRW")
    assert "a.zip exists; remove it" in run(*again, "--out", tmp_path / "a.zip", fails=True)
    assert "expected --out to end in .zip" in run(*again, "--out", tmp_path / "folder", fails=True)
    run(*again, "--out", tmp_path / "c.zip", "--seed", 1)
    assert (tmp_path / "a.zip").read_bytes() != (tmp_path / "c.zip").read_bytes()
