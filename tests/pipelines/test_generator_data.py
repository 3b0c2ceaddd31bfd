"""Data sets that are there for generators, by the commands of the stages."""

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import ROOT
from ruamel.yaml import YAML

from augment.poses.estimators.annotations import write_annotations
from augment.poses.estimators.truth import Truth
from pipelines.__main__ import main
from pipelines.people import read_people
from reid import samples
from reid.datasets import DATASETS
from reid.errors import InputError
from reid.images import Archive, background_name, decode, write_zip
from reid.names import annotated_name


def run(*words, fails=False):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert (result.exit_code != 0) == fails, result.output
    return result.output


def write_params(name, path, estimator):
    params = YAML(typ="safe").load(ROOT / "profiles/smoke.yaml")
    params.update(threads=1, device="cpu", dataset={"name": name, "path": path})
    params["pose"]["estimator"] = estimator
    params["pose"]["annotations"]["files"] = [f"{path}/annotation-train.csv", f"{path}/annotation-test.csv"]
    for gan in params["gan"].values():
        gan["training"]["iterations"] = 2
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
    assert Path("data/gan/full/generator.pt").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("augment", "full", "--alpha", 2),
        ("augment-rendered", "identities", "--alpha", 2),
        ("train-reid", "ide", "--out", "data/reid/real-ide"),
        ("evaluate", "ide", "--model", "data/reid/real-ide", "--out", "data/scores/real-ide.json"),
    ],
)
def test_stages_of_reid_refuse_it(fashion, words):
    assert "dataset.name is deepfashion, which has no cameras and no queries" in run(*words, fails=True)


def test_backgrounds_are_read_beside_the_images(tmp_path, monkeypatch, tiny_zip):
    monkeypatch.chdir(tmp_path)
    with Archive(tiny_zip) as archive:
        members = {name: archive.read(name) for name in archive.names()}
    people = [name for name in members if name.startswith("bounding_box_")]
    others = dict(zip(people, people[1:] + people[:1], strict=True))  # stands for the image's background
    backgrounds = {f"backgrounds/{Path(name).name}": members[other] for name, other in others.items()}
    write_zip(Path("data/raw/with.zip"), (members | backgrounds).items())
    write_zip(Path("data/raw/without.zip"), members.items())

    write_params("streets", "data/raw/with.zip", "truth")
    run("prepare")
    run("estimate-poses")
    table = samples.read(Path("data/samples/train.parquet"))
    read = read_people(table, (128, 64), backgrounds=True).backgrounds
    for row, image in enumerate(table["image"]):
        assert (read[row].permute(1, 2, 0).numpy() == decode(members[others[image]], image)).all()
    assert read_people(table, (128, 64)).backgrounds is None

    write_params("streets", "data/raw/without.zip", "truth")
    run("prepare")
    table = samples.read(Path("data/samples/train.parquet"))
    lacking = rf"without.zip has no background of {len(table)} of {len(table)} images, e.g. backgrounds/0001_c"
    with pytest.raises(InputError, match=lacking):
        read_people(table, (128, 64), backgrounds=True)


def test_backgrounds_lie_beside_the_images_folder():
    name = "0002_c1s1_000451_03.jpg"
    assert background_name(f"bounding_box_train/{name}") == f"backgrounds/{name}"
    assert background_name(f"Market/bounding_box_test/{name}") == f"Market/backgrounds/{name}"
