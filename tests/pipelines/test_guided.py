"""The stages with a guided generator and a pose bank: trained, redrawn in its poses, exported, checked."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from commands import run, write_params

from pipelines import layout
from reid.common.digests import digest
from reid.files import samples


def with_bank(params):
    full = params["gan"]["full"]
    options = {**full["options"], "people": 4, "guider_iterations": 2, "guider_batch_size": 4}
    options["guider_options"] = {"backbone": "mobilenet-v2", "input_size": [64, 32]}
    poses = {"file": "bank.parquet"}
    params["gan"]["guided"] = {**full, "method": "guided", "options": options, "poses": poses}
    params.update(generators=["guided"], renderings=[], exports=["guided"], networks=["ide"])


@pytest.mark.slow
def test_people_are_redrawn_in_the_poses_of_a_bank(prepared):
    write_params(with_bank)
    assert "bank.parquet does not exist: give another pose bank" in run("train-gan", "guided", fails=True)
    table = pd.read_parquet(layout.poses())
    shutil.copyfile(layout.poses(), "bank.parquet")
    output = run("train-gan", "guided")
    assert f"{len(table):,} usable poses in bank.parquet" in output
    assert "guided, 2 iterations: generator" in output
    trainings = json.loads(Path("data/gan/guided/config.json").read_text())["trainings"]
    bank_sum = digest(Path("bank.parquet"))
    assert trainings[-1]["poses"] == {"file": "bank.parquet", "size": None, "sha256": bank_sum}

    run("augment", "guided", "--alpha", 2)
    rows = samples.read(Path("data/augmented/guided-a2/train.parquet")).query("origin == 'guided-a2'")
    assert set(rows["pose_of"]) <= set("bank:" + table["image"])
    assert not set(rows["pose_of"]) <= set("bank:" + rows["source"]), "test people's poses are in this bank too"
    made = json.loads(Path("data/augmented/guided-a2/provenance.json").read_text())
    assert made["generator"]["trainings"][-1]["poses"]["sha256"] == bank_sum

    run("export", "guided", "--alpha", 2, "--out", "R")
    assert "R: nothing fatal, 0 warnings" in run("check", "R")
    assert "0 of them generated" in run("keypoints", "R", "--out", "K"), "poses of a bank are not in the table of poses"
    manifest = pd.read_parquet("R/manifest.parquet").query("origin == 'guided-a2'")
    assert list(manifest["pose_of"]) == list(rows["pose_of"])
    assert "redrawn in the pose of a pose bank" in Path("R/DATASHEET.md").read_text().replace("\n", " ")

    # With another bank nothing is drawn, and the training begins anew, though a finished one is kept.
    assert "made before" in run("train-gan", "guided")
    table.iloc[:-1].to_parquet("bank.parquet", index=False)
    refused = run("augment", "guided", "--alpha", 2, fails=True)
    assert "bank.parquet is not the pose bank that guided was trained with" in refused
    output = run("train-gan", "guided")
    assert "made before" not in output
    assert f"{len(table) - 1:,} usable poses in bank.parquet" in output
