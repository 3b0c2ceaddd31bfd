"""Training and measuring Re-ID networks on a handful of people, by their commands."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from commands import run, write_params
from conftest import official
from scipy.spatial.distance import cdist

from reid import samples
from reid.images import Archive, encode_jpeg, write_zip
from reid.networks import storage


def test_scores_are_those_of_the_official_rule(prepared):
    run("train-reid", "ide", "--out", "data/reid/real-ide-s0")
    run("evaluate", "ide", "--model", "data/reid/real-ide-s0", "--out", "data/scores/real-ide-s0.json")
    network, _ = storage.load("data/reid/real-ide-s0")
    query, gallery = (samples.read(Path(f"data/samples/{split}.parquet")) for split in ("query", "gallery"))
    features = []
    for table in (query, gallery):
        with Archive("data/raw/tiny.zip") as archive, torch.no_grad():
            pixels = np.stack([archive.image(image) for image in table["image"]])
            found = network.embed(torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1).numpy()
        features.append(found / np.linalg.norm(found, axis=1, keepdims=True))
    labels = [table[column].to_numpy() for table in (query, gallery) for column in ("identity", "camera")]
    cmc, aps = official(cdist(*features), *labels)
    scores = json.loads(Path("data/scores/real-ide-s0.json").read_text())["distances"]["euclidean"]
    assert scores["rank1"] == pytest.approx(100 * cmc[0], abs=0.006)
    assert scores["mAP"] == pytest.approx(100 * aps.mean(), abs=0.2), "distances this close may swap by rounding"


def with_generated_rows(folder):
    """An augmented set made of the training table and its images turned upside down."""
    train = samples.read(Path("data/samples/train.parquet"))
    name = f"{folder.name}"
    made = train.assign(
        image=[f"{Path(image).with_suffix('')}_g01.jpg" for image in train["image"]],
        archive=str(folder / "images.zip"), origin=name, source=train["image"], pose_of=train["image"], draw=1,
    )  # fmt: skip
    with Archive("data/raw/tiny.zip") as archive:
        turned = [encode_jpeg(np.ascontiguousarray(archive.image(image)[::-1])) for image in train["image"]]
    write_zip(folder / "images.zip", zip(made["image"], turned, strict=True))
    samples.write(pd.concat([train, made]), folder / "train.parquet")
    return train


def test_generated_images_may_be_classes_of_their_own(prepared):
    folder = Path("data/augmented/copy-a2")
    train = with_generated_rows(folder)
    write_params(lambda p: p["reid"]["ide"]["generated"].update(labels="separate", smoothing=0.1))
    run("train-reid", "ide", "--train", folder, "--out", "data/reid/separate")
    config = json.loads(Path("data/reid/separate/config.json").read_text())
    assert config["options"]["classes"] == 2 * config["trained_on"]["identities"] == 8
    assert config["trained_on"]["generated"] == len(train)


def test_metrics_learn_from_real_images_or_from_all(prepared):
    folder = Path("data/augmented/copy-a2")
    with_generated_rows(folder)
    run("train-reid", "ide", "--train", folder, "--out", "data/reid/copy")
    scores = {}
    for which in ("real", "all"):
        write_params(lambda p, which=which: p["evaluation"].update(metric_train=which))
        output = run("evaluate", "ide", "--train", folder, "--model", "data/reid/copy", "--out", f"{which}.json")
        scores[which] = pd.read_parquet(f"{which}.parquet")
        assert Path(f"{which}.png").stat().st_size > 10_000
        assert "xqda: Rank-1" in output
    same = {name: (a.values == b.values).all() for name, a, b in by_distance(scores)}
    assert same == {"euclidean": True, "xqda": False}


def by_distance(scores):
    for name in ("euclidean", "xqda"):
        yield name, *(table.loc[table["distance"] == name, ["ap_trapezoid"]] for table in scores.values())
