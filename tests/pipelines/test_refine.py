"""Training a network further on images without labels, from any network and on any images."""

import json
from pathlib import Path
from unittest.mock import Mock

import pandas as pd
import torch
from commands import run, write_params

from reid.common.errors import InputError
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
    clusters = [pd.read_parquet(folder / "clusters.parquet") for folder in (apart, both)]
    assert clusters[0]["image"].nunique() == count
    own = ["round", "cluster", "reliable"]
    pd.testing.assert_frame_equal(clusters[0][own], clusters[1][own])
    run("evaluate", "unlabelled", "--model", apart, "--out", "scores.json")
    run("rounds", "unlabelled", "--model", apart, "--out", "rounds")
    table = pd.read_csv("rounds.tsv", sep="\t")
    assert table["truth"].isna().all(), "nobody knows whom the images show"
    run("rounds", "unlabelled", "--model", both, "--out", "rounds")
    assert pd.read_csv("rounds.tsv", sep="\t")["truth"][1:].between(-1, 1).all()
    assert table["mAP"].between(0, 100).all()
    assert "made before" in run(*WORDS, "--images", "people", "--out", "data/reid/apart")


def test_of_a_data_set_its_training_images_are_taken(trained):
    write_params(lambda params: unlabelled(params, rounds=1))
    with Archive("data/raw/tiny.zip") as archive:
        inside = [name for name in archive.names() if name.startswith("bounding_box_train/")]
    output = run(*WORDS, "--images", "data/raw/tiny.zip", "--out", "data/reid/apart")
    assert f"on {len(inside)} images without labels" in output
    assert "1 round; " in output
    assert set(pd.read_parquet("data/reid/apart/clusters.parquet")["image"]) == set(inside)


def test_rounds_by_other_settings_do_not_train_with_labels_again(trained, monkeypatch):
    write_params(lambda params: unlabelled(params, clusters=1000))
    words = ("train-reid", "unlabelled", "--out", "data/reid/both")
    assert "cannot be in 1000 clusters" in run(*words, fails=True)
    labels = list(Path(".scratch").glob("reid-both-labels-*"))
    assert len(labels) == 1
    write_params(unlabelled)
    monkeypatch.setattr(torch.optim.SGD, "zero_grad", steps := Mock())
    run(*words)
    assert steps.call_count == OPTIONS["rounds"] * OPTIONS["iterations"]
    assert not labels[0].exists()


def test_an_interrupted_run_goes_on_where_it_was(trained, monkeypatch):
    write_params(unlabelled)
    unpacked(Path("people"))
    words = (*WORDS, "--images", "people", "--out")
    apart = Path("data/reid/apart")
    with monkeypatch.context() as patched:
        patched.setattr(torch.optim.SGD, "zero_grad", Mock(side_effect=[None, InputError("in the second round")]))
        assert "in the second round" in run(*words, apart, fails=True)
    assert not apart.exists()
    with monkeypatch.context() as patched:
        patched.setattr(torch.optim.SGD, "zero_grad", steps := Mock())
        run(*words, apart)
    assert steps.call_count == (OPTIONS["rounds"] - 1) * OPTIONS["iterations"]
    run(*words, "data/reid/undisturbed")
    for name in ("network.pt", "rounds.tsv", "clusters.parquet", "rounds/00/network.pt"):
        assert (apart / name).read_bytes() == Path("data/reid/undisturbed", name).read_bytes(), name


def test_the_network_can_learn_from_the_batches_of_the_section(trained):
    """Whether it has a triplet loss says the network, and not the section."""

    def change(params):
        strong = params["reid"]["strong"]
        single = strong["training"] | {"sampling": "counted"}
        options = strong["options"] | {"triplet_weight": 0.0}
        params["reid"]["single"] = strong | {"training": single, "options": options, "progressive": OPTIONS}

    write_params(change)
    run("train-reid", "strong", "--out", "data/reid/strong")
    unpacked(Path("people"))
    words = ("refine", "single", "--model", "data/reid/strong", "--images", "people", "--out", "data/reid/apart")
    message = "reid.single cannot train data/reid/strong: sampling: the triplet loss needs several images of a person"
    assert message in run(*words, fails=True)


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
    for out in (IDE, "people/refined"):
        output = run(*WORDS, "--images", "people", "--out", out, fails=True)
        assert f"--out {out} would change what the command reads" in output
    Path("empty").mkdir()
    assert "empty has no images: expected files that end in .jpg" in run(
        *WORDS, "--images", "empty", "--out", "data/reid/apart", fails=True
    )
    assert "away does not exist" in run(*WORDS, "--images", "away", "--out", "data/reid/apart", fails=True)
    assert not Path("data/reid/apart").exists()
