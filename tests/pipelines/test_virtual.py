"""People who do not exist: the plan, what is drawn of it, and its rows."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from commands import run, write_params
from disentangled import taught
from poses import random_poses

from augment import methods
from augment.methods.disentangled.manipulation import invented
from augment.methods.disentangled.method import Disentangled
from augment.plans.virtual import virtual
from augment.poses import Pose
from augment.scores.pose_likeness import INSIDE, KNOWN, likeness
from reid.common.errors import InputError
from reid.files import samples
from reid.files.images import Archive, stored_size

OPTIONS = {"width": 0.03125}
IMAGES = [f"bounding_box_train/{n:04d}_c2s1_000001_01.jpg" for n in range(1, 8)]
TABLE = samples.real_table(IMAGES, "x.zip", list(range(1, 8)), [2, 5, 2, 5, 2, 5, 2])
USABLE = np.arange(7) != 4


def plan(alpha=2, seed=0, images=3, usable=USABLE, table=TABLE, people=None):
    return virtual(table, alpha, seed, "v", "v.zip", images=images, people=people, usable_targets=usable)


def test_new_people_have_so_many_images_each():
    new = plan(alpha=3)
    assert len(new) == 2 * len(TABLE)
    assert new["image"].is_unique
    assert new.groupby("identity", sort=False).size().to_dict() == {
        100_001: 3, 100_002: 3, 100_003: 1, 200_001: 3, 200_002: 3, 200_003: 1,
    }  # fmt: skip
    assert new["camera"].tolist() == [2, 5, 2, 2, 5, 2, 2] * 2
    assert (new["source"] == new["image"]).all()
    assert set(new["pose_of"]) <= set(TABLE["image"]) - {TABLE["image"][4]}
    assert new["pose_of"].nunique() > 3
    samples.check(new)
    pd.testing.assert_frame_equal(new[:7], plan(), obj="alpha = 2 is the first part of alpha = 3")
    assert (plan(seed=1)["pose_of"] != plan()["pose_of"]).any()
    assert plan(usable=None)["pose_of"].isna().all()
    pd.testing.assert_frame_equal(plan(alpha=3, people=4), new[:10], obj="people of 3, 3, 1 and 3 images")
    pd.testing.assert_frame_equal(plan(alpha=3, people=9), new)


def test_what_cannot_be_planned():
    with pytest.raises(InputError, match="alpha must be at least 2"):
        plan(alpha=1)
    with pytest.raises(InputError, match="no target pose can be used: none of the 7 training images"):
        plan(usable=np.zeros(7, bool))
    with pytest.raises(InputError, match="the number 100001; new people get those above 100000"):
        plan(table=TABLE.assign(identity=100_001))


@torch.no_grad()
def test_a_person_is_one_foreground_before_many_backgrounds():
    torch.manual_seed(0)
    method = Disentangled((128, 64), **OPTIONS)
    names = ["a", "b", "c", "d"]
    appearance, poses = invented(method, [5, 6, 5, 6], names, None, seed=0)
    foreground, background = appearance
    assert torch.equal(foreground[0], foreground[2])
    assert torch.equal(foreground[1], foreground[3])
    assert not torch.equal(foreground[0], foreground[1])
    assert len(background.unique(dim=0)) == 4
    assert len(poses.joints.unique(dim=0)) == 4
    given = random_poses(2, 0)
    again, kept = invented(method, [6, 5], ["d", "c"], given, seed=0)
    assert kept is given
    torch.testing.assert_close(again.foreground, foreground[[1, 0]], msg="whoever else is drawn")
    torch.testing.assert_close(again.background, background[[3, 2]])
    other, _ = invented(method, [6, 5], ["d", "c"], given, seed=1)
    assert not torch.equal(other.foreground, again.foreground)


@pytest.mark.slow
def test_rows_of_virtual_people(trained):
    torch.manual_seed(0)
    methods.save(taught(**OPTIONS), "disentangled", OPTIONS, Path("data/gan/apart"))
    own = {"generator": "apart", "images": 4, "poses": "sampled", "added": False}

    def change(params):
        params["gan"]["apart"] = {"method": "disentangled", "options": OPTIONS}
        params["generators"].append("apart")
        params["virtual_people"] = {"virtual": {**own, "poses": "real", "added": True}, "alone": own}
        params["virtual"] = ["virtual", "alone"]
        options = {"clusters": 3, "threshold": 0.0, "rounds": 2, "iterations": 1, "agreement": 1.0, "keep": True}
        params["reid"]["unlabelled"] = params["reid"]["ide"] | {"progressive": options, "distances": ["euclidean"]}

    write_params(change)
    real = samples.read(Path("data/samples/train.parquet"))
    for name in ("virtual", "alone"):
        run("augment", name, "--alpha", 2)
        table = samples.read(Path(f"data/augmented/{name}-a2/train.parquet"))
        new = table[table["origin"] != samples.REAL]
        assert len(new) == len(real)
        assert len(table) == len(real) * (2 if name == "virtual" else 1)
        assert not set(new["identity"]) & set(real["identity"])
        with Archive(f"data/augmented/{name}-a2/images.zip") as archive:
            assert archive.names() == sorted(new["image"])
            pixels = [archive.image(image) for image in new["image"][:2]]
        assert pixels[0].shape == (128, 64, 3)
        assert not np.array_equal(*pixels)
        assert stored_size(Path(f"data/augmented/{name}-a2/sheet.png"))[0] > 200
    provenance = json.loads(Path("data/augmented/alone-a2/provenance.json").read_text())
    assert provenance["virtual_people"] == {**own, "people": None}

    train = ("--train", "data/augmented/alone-a2")
    run("train-reid", "ide", *train, "--out", "data/reid/alone-a2-ide-s0")
    out = Path("data/scores/alone-a2-ide-s0.json")
    run("evaluate", "ide", *train, "--model", "data/reid/alone-a2-ide-s0", "--out", out)
    assert json.loads(out.read_text())["trained_on"]["generated"] == len(real), "no real one"

    model = "data/reid/alone-a2-unlabelled-s0"
    run("train-reid", "unlabelled", *train, "--out", model)
    clusters = pd.read_parquet(f"{model}/clusters.parquet")
    assert set(clusters["image"]) == set(real["image"])
    run("rounds", "unlabelled", "--model", model, "--out", "out/rounds")
    table = pd.read_csv("out/rounds.tsv", sep="\t").set_index("round")
    assert list(table.index) == [0, *sorted(clusters["round"].unique())]
    assert table["rank1"].between(0, 100).all()
    assert table["truth"][1:].between(-1, 1).all()
    assert stored_size(Path("out/rounds.png"))[1] > 800
    assert "holds no rounds" in run("rounds", "ide", "--model", "data/reid/alone-a2-ide-s0", fails=True)
    out = Path("data/scores/alone-a2-unlabelled-s0.json")
    run("evaluate", "unlabelled", *train, "--model", model, "--out", out)
    file = json.loads(out.read_text())
    assert file["trained_on"]["unlabelled"] == len(real)
    assert file["distances"]["euclidean"]["rank1"] == pytest.approx(table["rank1"].iloc[-1])

    run("export", "virtual", "--alpha", 2, "--out", "exported.zip")
    with zipfile.ZipFile("exported.zip") as archive:
        sheet = next(name for name in archive.namelist() if name.endswith("DATASHEET.md"))
        assert "people who do not exist" in archive.read(sheet).decode()
    run("check", "exported.zip")

    run("train-reid", "ide", "--train", "data/augmented/real-a1", "--out", "data/reid/real-a1-ide-s0")
    run("invented", "virtual", "--out", "out/invented")
    people = pd.read_csv("out/invented-people.tsv", sep="\t").set_index("people")
    assert people["images"].tolist() == [len(real)] * 2
    assert people[["found", "chance", "as_near"]].stack().between(0, 100).all()
    assert people["chance"]["invented"] < 10
    lengths = pd.read_csv("out/invented-poses.tsv", sep="\t")
    assert (lengths["distance"][1:] >= 0).all()
    assert stored_size(Path("out/invented.png"))[1] > 1000

    options = {**OPTIONS, "backgrounds": False}
    methods.save(taught(**options), "disentangled", options, Path("data/gan/apart"))
    run("augment", "alone", "--alpha", 2)
    with Archive("data/augmented/alone-a2/images.zip") as archive:
        assert len(archive.names()) == len(real), "without a factor for backgrounds, too"
    options = {**OPTIONS, "mapping_iterations": 0}
    methods.save(taught(**options), "disentangled", options, Path("data/gan/apart"))
    output = run("augment", "alone", "--alpha", 2, fails=True)
    assert (
        "apart has not learnt to invent people in sampled poses: train it with iterations of its phase foreg" in output
    )
    options = {**OPTIONS, "pose_iterations": 0}
    methods.save(taught(**options), "disentangled", options, Path("data/gan/apart"))
    assert "of its phase pose" in run("augment", "alone", "--alpha", 2, fails=True)
    assert "apart samples no poses" in run("invented", "virtual", fails=True)
    methods.save(taught((64, 32), **OPTIONS), "disentangled", OPTIONS, Path("data/gan/apart"))
    for words in (("augment", "alone", "--alpha", 2), ("invented", "virtual"), ("score-features", "apart")):
        output = run(*words, fails=True)
        assert "the generator is for images of [64, 32], `image_size` in params.yaml is [128, 64]: train it" in output


def test_poses_like_and_unlike_real_ones():
    """The same people twice as tall have limbs that are twice as long, and stand out of the image."""
    real = random_poses(400, 0)
    same, tall = random_poses(400, 1), Pose(2 * real.joints, real.visible)
    table = likeness(same, real, (128, 64)).set_index("measure")
    assert (table["distance"][1:] < 0.5).all(), "pixels, and joints"
    unlike = likeness(tall, real, (128, 64)).set_index("measure")
    limbs = unlike.index[2:]
    np.testing.assert_allclose(unlike.loc[limbs, "made"], 2 * unlike.loc[limbs, "real"], rtol=1e-5)
    np.testing.assert_allclose(unlike.loc[limbs, "distance"], unlike.loc[limbs, "real"], rtol=1e-4)
    assert unlike.loc[INSIDE, "made"] < unlike.loc[INSIDE, "real"] == 100
    assert unlike.loc[KNOWN, "distance"] == 0


@pytest.mark.slow
def test_embeddings_are_scored_as_features(trained):
    torch.manual_seed(0)
    for body in ("regions", "whole"):
        options = {**OPTIONS, "body": body}
        methods.save(taught(**options), "disentangled", options, Path("data/gan/apart"))
        write_params(lambda p, o=options: p["gan"].update(apart={"method": "disentangled", "options": o}))
        run("score-features", "apart")
        table = pd.read_csv("data/gan_scores/apart-features.tsv", sep="\t").set_index("features")
        assert table["dimensions"].tolist() == [224, min(64, len(samples.read(Path("data/samples/train.parquet")))), 0]
        assert table["mAP"].between(0, 100).all()
        assert table.loc["foreground", "mAP"] > table.loc["chance", "mAP"], "even colours at random tell clothes apart"
    assert "full has no embeddings of foregrounds" in run("score-features", "full", fails=True)
