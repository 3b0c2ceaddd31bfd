"""A method that the project has never heard of, added as CONTRIBUTING says: one module, one line, one section."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch
from commands import run, write_params
from toy_method import Toy

from augment import methods
from augment.methods import METHODS
from pipelines.params import load
from reid.common.checkpoints import Scratch
from reid.common.errors import InputError
from reid.files import samples

SECTION = {"method": "toy", "options": {"iterations": 4}, "training": {"average": 0.5, "checkpoint_every": 1}}


@pytest.fixture
def toy(prepared, monkeypatch):
    monkeypatch.setitem(METHODS, "toy", Toy)
    write_params(with_toy)
    return prepared


def with_toy(params):
    params["gan"] = {"toy": {**SECTION}}
    params.update(generators=["toy"], renderings=[], exports=["toy"], networks=["ide"])


@pytest.mark.slow
def test_it_trains_resumes_augments_scores_and_exports(toy, monkeypatch):
    run("train-gan", "toy")
    whole = torch.load("data/gan/toy/weights.pt")
    assert set(whole) == {"encoder", "decoder", "critic"}
    losses = pd.read_csv("data/gan/toy/losses.tsv", sep="\t")
    assert losses["phase"].tolist() == ["copy", "refine"]
    assert losses["critic"].isna().tolist() == [True, False]

    # Its result is kept until DVC has recorded it. Without that, stopped in the second phase, the same command goes on.
    assert "made before: taken from .scratch/gan-toy-" in run("train-gan", "toy")
    shutil.rmtree(".scratch")
    save = Scratch.save

    def save_then_die(self, state):
        save(self, state)
        if (state["phase"], state["iteration"]) == (1, 2):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Scratch, "save", save_then_die)
        run("train-gan", "toy", fails=True)
    output = run("train-gan", "toy")
    assert "copy, 4 iterations: l1" in output
    again = torch.load("data/gan/toy/weights.pt")
    for network, state in whole.items():
        assert all(torch.equal(again[network][key], value) for key, value in state.items())

    run("augment", "toy", "--alpha", 3)
    table = samples.read(Path("data/augmented/toy-a3/train.parquet"))
    rows = table[table["origin"] == "toy-a3"].set_index("image")
    identity = table.set_index("image")["identity"]
    assert len(rows) == 2 * (table["origin"] == "real").sum(), "its own notion of a usable pose: all noses are known"
    for row in rows.itertuples():
        names = samples.split_names(row.further_sources)
        assert len(names) == 2
        assert {identity[name] for name in names} == {row.identity}
        assert not {row.source, row.pose_of} & set(names)

    run("train-reid", "ide", "--train", "data/augmented/real-a1", "--out", "data/reid/real-a1-ide-s0")
    run("score-gan", "toy")
    scores = json.loads(Path("data/gan_scores/toy.json").read_text())
    assert scores["pairs"] == 10
    assert {"ssim", "fd", "ds", "identity_mAP"} <= set(scores["scores"])
    monkeypatch.setattr("pipelines.stages.score_noise.SIGMAS", (25,))
    run("score-noise", "toy")

    run("export", "toy", "--alpha", 3, "--out", "R")
    assert "R: nothing fatal, 0 warnings" in run("check", "R")
    manifest = pd.read_parquet("R/manifest.parquet").query("origin == 'toy-a3'")
    assert len(manifest) == len(rows)
    there = {path.relative_to("R").as_posix() for path in Path("R").rglob("*.jpg")}
    for joined in manifest["further_sources"]:
        assert len(samples.split_names(joined)) == 2
        assert set(samples.split_names(joined)) <= there


def test_its_parameters_are_its_own(toy):
    gan = load().gan["toy"]
    assert gan.options == {"channels": 4, "sources": 3, "iterations": 4}
    assert gan.training["sample_every"] == 500, "the loop's default"

    def wrong(params):
        with_toy(params)
        params["gan"]["toy"]["options"] = {"channels": 0, "width": 1}

    write_params(wrong)
    with pytest.raises(InputError, match=r"  gan.toy.options.width: unknown parameter") as error:
        load()
    assert "  gan.toy.options.channels: Input should be greater than or equal to 1, got 0" in str(error.value)


def test_a_trained_method_is_found_by_its_name_alone(toy):
    run("train-gan", "toy")
    method = methods.load("data/gan/toy")
    assert isinstance(method, Toy)
    assert not any(network.training for name, network in method.networks.items() if name in method.inference)
