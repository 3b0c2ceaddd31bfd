"""The stages on a handful of people, by their commands."""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from commands import run, unfinished, write_params

from pipelines.layout import folder_name
from reid.datasets import SPLITS, checks
from reid.datasets.checks import counts
from reid.files import samples
from reid.files.images import stored_size


@pytest.mark.slow
def test_from_images_to_the_table(trained, monkeypatch):
    write_params(lambda p: p.update(generators=["full"]))
    for source in ("full", "views"):
        run("augment", source, "--alpha", 2)
    for row in ("real", "full-a2", "views-a2"):
        folder = folder_name(row)
        train = ("--train", f"data/augmented/{folder}")
        for network in ("ide", "siamese"):
            model, scored = Path(f"data/reid/{folder}-{network}-s0"), f"data/scores/{folder}-{network}-s0.json"
            if not model.exists():
                run("train-reid", network, *train, "--out", model)
            run("evaluate", network, *train, "--model", model, "--out", scored)
    for name in ("real", "full"):
        run("score-gan", name)
    output = run("report")
    assert output.count("| real ") == 2
    assert "identity Rank-1" in output
    assert not unfinished(), "finished runs leave their results alone"
    assert list(Path(".scratch").iterdir())

    real, augmented = (
        samples.read(Path("data/samples/train.parquet")),
        pd.read_parquet("data/augmented/full-a2/train.parquet"),
    )
    generated = augmented[augmented["origin"] == "full-a2"]
    assert len(augmented) == len(real) + len(generated)
    assert set(generated["source"]) <= set(real["image"])
    config = json.loads(Path("data/reid/full-a2-ide-s0/config.json").read_text())
    assert config["trained_on"] == {"images": len(augmented), "generated": len(generated), "identities": 4} | {
        "origins": ["full-a2", "real"]
    }

    views = pd.read_parquet("data/augmented/views-a2/train.parquet")
    assert (views["origin"] == "views-a2").sum() == len(real)
    assert stored_size(Path("data/augmented/views-a2/sheet.png"))[0] > 200

    run("export", "full", "--alpha", 2, "--out", "R")
    assert "R: nothing fatal, 0 warnings" in run("check", "R")
    rows = pd.read_parquet("R/manifest.parquet").query("origin == 'full-a2'")
    assert len(rows) == len(generated)
    weights_file = Path("data/gan/full/weights.pt").read_bytes()
    assert set(rows["weights_sha256"]) == {hashlib.sha256(weights_file).hexdigest()}
    assert set(rows["seed"]) == {0}
    run("export", "views", "--alpha", 2, "--out", "views.zip")
    assert "views.zip: nothing fatal, 0 warnings" in run("check", "views.zip")

    metrics = json.loads(Path("data/report/metrics.json").read_text())
    assert set(metrics) == {"real", "full-a2", "views-a2"}
    columns = {(network, distance) for network, found in metrics["real"].items() for distance in found}
    assert columns == {("ide", "euclidean"), ("ide", "xqda"), ("ide", "kissme"), ("siamese", "euclidean")}
    scores = metrics["full-a2"]["ide"]["euclidean"]
    assert set(scores) == {"rank1", "rank5", "rank10", "mAP", "mAP_step"}
    assert 0 <= scores["mAP"] <= scores["mAP_step"] <= 100
    page = Path("data/report/index.html").read_text()
    shown = [part.split('"')[0] for part in page.split('src="')[1:]]
    assert len(shown) >= 8
    assert all((Path("data/report") / picture).stat().st_size > 2000 for picture in shown)
    for file in ("table.md", "table.tex", "table.html"):
        assert f"{scores['rank1']:.1f}" in Path("data/report", file).read_text()

    # Named in Market-1501's manner, it is still not the data set that the papers' numbers are of.
    write_params(lambda p: p.update(generators=["full"], renderings=[]) or p["dataset"].update(name="market1501"))
    with monkeypatch.context() as patch:
        patch.setenv("DVC_STAGE", "report")  # as DVC runs it, when it has recorded all others
        assert "(73.9)" not in run("report")
    left = sorted(folder.name.rpartition("-")[0] for folder in Path(".scratch").glob("*/"))
    assert left == [f"reid-views-a2-{network}-s0" for network in ("ide", "siamese")], "of a row that is not in it"
    actual = {split: counts(samples.read(Path(f"data/samples/{split}.parquet"))) for split in SPLITS}
    monkeypatch.setattr(checks, "MARKET_COUNTS", actual)
    assert "(73.9)" in run("report")


@pytest.mark.slow
def test_backgrounds_go_through_training_and_augmentation(project):
    """And where a data set has none, a generator that was trained to do without still works."""

    def change(params):
        params["gan"]["full"]["options"] |= {"background": True, "background_dropout": 0.0}

    write_params(change)
    for command in ("prepare", "estimate-poses", "pair"):
        run(command)
    run("train-gan", "full")
    assert json.loads(Path("data/gan/full/config.json").read_text())["options"]["background"] is True
    run("augment", "full", "--alpha", 2)
    augmented = samples.read(Path("data/augmented/full-a2/train.parquet"))
    assert set(augmented["origin"]) == {"real", "full-a2"}

    with zipfile.ZipFile("data/raw/tiny.zip") as archive, zipfile.ZipFile("data/raw/bare.zip", "w") as bare:
        for name in archive.namelist():
            if not name.startswith("backgrounds/"):
                bare.writestr(name, archive.read(name))
    without = {"path": "data/raw/bare.zip"}
    write_params(lambda params: change(params) or params["dataset"].update(without))
    for command in ("prepare", "estimate-poses", "pair"):
        run(command)
    output = run("train-gan", "full", fails=True)
    assert "data/raw/bare.zip has no background of " in output
    assert "python -m pipelines render" in output
    options = {"background": True, "background_dropout": 0.5}
    write_params(lambda params: params["dataset"].update(without) or params["gan"]["full"]["options"].update(options))
    run("train-gan", "full")
    run("augment", "full", "--alpha", 2)


@pytest.mark.slow
def test_the_best_of_several_images(trained):
    """Three draws of each image: those that `augment` makes for alpha 4; the best by margin is kept."""

    def change(params):
        params["selections"] = ["best"]
        params["selection"] = {"best": {"generator": "full", "draws": 3, "by": "margin"}}

    write_params(change)
    run("augment", "full", "--alpha", "4")
    output = run("augment", "best", "--alpha", "2")
    assert not unfinished()
    everything, selected = (pd.read_parquet(f"data/augmented/{row}/train.parquet") for row in ("full-a4", "best-a2"))
    judged = pd.read_parquet("data/augmented/best-a2/judged.parquet")
    drawn = everything[everything["draw"] > 0].reset_index(drop=True)
    assert judged[["image", "source", "draw"]].equals(drawn[["image", "source", "draw"]])
    with (
        zipfile.ZipFile("data/augmented/full-a4/images.zip") as everything,
        zipfile.ZipFile("data/augmented/best-a2/images.zip") as best,
    ):
        assert best.namelist() == judged.loc[judged["kept"], "image"].tolist()
        assert all(everything.read(image) == best.read(image) for image in best.namelist())
    assert judged["detection"].between(0, 1).all()
    new = selected[selected["draw"] > 0]
    assert set(new["image"]) == set(judged.loc[judged["kept"], "image"])
    assert sorted(new["source"]) == sorted(drawn["source"].unique())
    for source, draws in judged.groupby("source"):
        assert draws.loc[draws["kept"], "margin"].item() == draws["margin"].max(), source
    assert "of those kept" in output
    made = json.loads(Path("data/augmented/best-a2/provenance.json").read_text())
    assert (made["row"], made["alpha"]) == ("best-a2", 2)
    assert made["selection"] == {"generator": "full", "draws": 3, "by": "margin"}
    assert made["judge"]["network"] == "data/reid/real-a1-ide-s0"
    run("export", "best", "--alpha", "2", "--out", "best.zip")
    with zipfile.ZipFile("best.zip") as archive:
        entries = pd.read_parquet(archive.open("manifest.parquet")).set_index("sha256")
        assert "3 were drawn from each source for each one that is here" in archive.read("DATASHEET.md").decode()
    generated = entries[entries["origin"] == "best-a2"]
    assert sorted(generated["margin"]) == pytest.approx(sorted(judged.loc[judged["kept"], "margin"]))
    assert generated["identity_rank"].min() >= 1
    assert entries.loc[entries["origin"] == "real", ["identity_rank", "margin", "detection"]].isna().all(axis=None)
    assert "run train-reid" in without_network()


def without_network():
    shutil.rmtree("data/reid/real-a1-ide-s0")
    return run("augment", "best", "--alpha", "2", fails=True)


def test_a_part_of_the_training_set(project):
    def tables():
        return {split: pd.read_parquet(f"data/samples/{split}.parquet") for split in ("train", "query", "gallery")}

    run("prepare")
    whole = tables()
    write_params(lambda p: p["dataset"].update(train_people=2, train_images=3))
    assert f"6 of {len(whole['train'])} training images taken" in run("prepare")
    part = tables()
    assert part["train"].groupby("identity").size().tolist() == [3, 3]
    assert set(part["train"]["image"]) < set(whole["train"]["image"])
    pd.testing.assert_frame_equal(part["train"], pd.read_parquet("data/augmented/real-a1/train.parquet"))
    for split in ("query", "gallery"):
        pd.testing.assert_frame_equal(part[split], whole[split])
    write_params(lambda p: p["dataset"].update(train_people=999))
    assert "dataset.train_people: 999 is more than" in run("prepare", fails=True)


@pytest.mark.slow
def test_rendering_needs_no_params(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "expected 2 to 8000 identities, got 1" in run("render", "--identities", 1, "--out", "set", fails=True)
    assert "the seed must be 0 or more" in run("render", "--identities", 2, "--seed", -1, "--out", "set", fails=True)
    run("render", "--identities", 2, "--processes", 1, "--no-backgrounds", "--out", "deep/set")
    assert {path.name for path in Path("deep/set").iterdir()} == {
        "bounding_box_train", "query", "bounding_box_test", "masks", "truth.json"
    }  # fmt: skip
    assert "deep/set exists; remove it" in run("render", "--identities", 2, "--out", "deep/set", fails=True)
