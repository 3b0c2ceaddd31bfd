"""Training a network further on images without labels, from any network and on any images."""

import json
from pathlib import Path

import pandas as pd
from commands import run, write_params

from reid.files import samples
from reid.files.images import Archive, write_folder

OPTIONS = {"clusters": 3, "threshold": 0.0, "rounds": 2, "iterations": 1, "agreement": 1.0, "keep": True}
IDE = Path("data/reid/real-a1-ide-s0")
WORDS = ("refine", "unlabelled", "--model", IDE)


def unlabelled(params, **options):
    params["reid"]["unlabelled"] = params["reid"]["ide"] | {"progressive": OPTIONS | options}


def unpacked(folder):
    """The training images, in a folder below, without their labels."""
    with Archive("data/raw/tiny.zip") as archive:
        names = samples.read(Path("data/samples/train.parquet"))["image"]
        write_folder(folder, [(f"all/{number:03d}.jpg", archive.read(name)) for number, name in enumerate(names)])
    (folder / "notes.txt").write_text("no image")
    return len(names)


def test_it_is_what_training_with_progressive_does_after_its_labels(trained):
    write_params(unlabelled)
    count = unpacked(Path("people"))
    run("train-reid", "unlabelled", "--out", "data/reid/both")
    output = run(*WORDS, "--images", "people", "--out", "data/reid/apart")
    assert f"on {count} images without labels" in output
    assert "1 other files left out" in output
    apart, both = Path("data/reid/apart"), Path("data/reid/both")
    for name in ("network.pt", "rounds.tsv", "rounds/01/network.pt"):
        assert (apart / name).read_bytes() == (both / name).read_bytes(), name
    assert (apart / "network.pt").read_bytes() != (IDE / "network.pt").read_bytes()
    config = json.loads((apart / "config.json").read_text())
    assert config == json.loads((both / "config.json").read_text())
    assert config["trained_on"]["unlabelled"] == count
    assert pd.read_parquet(apart / "clusters.parquet")["image"].nunique() == count
    run("evaluate", "unlabelled", "--model", apart, "--out", "scores.json")
    run("rounds", "unlabelled", "--model", apart, "--out", "rounds")
    table = pd.read_csv("rounds.tsv", sep="\t")
    assert table["truth"].isna().all(), "nobody knows whom the images show"
    assert table["mAP"].between(0, 100).all()
    assert "made before" in run(*WORDS, "--images", "people", "--out", "data/reid/apart")


def test_what_cannot_be_refined(trained):
    unpacked(Path("people"))
    words = ("--model", IDE, "--images", "people", "--out", "data/reid/apart")
    assert "reid.ide has no `progressive`, which says how to train without" in run("refine", "ide", *words, fails=True)

    def change(params):
        unlabelled(params, clusters=1000)
        params["reid"]["other"] = params["reid"]["siamese"] | {"progressive": OPTIONS}

    write_params(change)
    assert f"{IDE} holds a network ide, and reid.other is for siamese" in run("refine", "other", *words, fails=True)
    assert "cannot be in 1000 clusters" in run("refine", "unlabelled", *words, fails=True)
    Path("empty").mkdir()
    assert "empty has no images: expected files that end in .jpg" in run(
        *WORDS, "--images", "empty", "--out", "data/reid/apart", fails=True
    )
    assert "away does not exist" in run(*WORDS, "--images", "away", "--out", "data/reid/apart", fails=True)
    assert not Path("data/reid/apart").exists()
