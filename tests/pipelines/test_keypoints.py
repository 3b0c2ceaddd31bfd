"""The joints of an exported set as COCO annotations, against the table of poses."""

import json
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pytest
from commands import run
from export_files import write_augmented
from poses import random_poses

from augment.poses import table
from pipelines import layout
from reid.files import samples
from reid.files.images import Archive


@pytest.fixture
def project(tmp_path, monkeypatch, tiny_zip):
    """An exported set, and the poses of all its training and gallery images but one; without params.yaml."""
    monkeypatch.chdir(tmp_path)
    write_augmented(tiny_zip, Path())
    run("export", "full", "--alpha", 2, "--out", "R")
    gallery = samples.read(layout.samples("gallery"))
    train = samples.read(layout.augmented("full", 2) / "train.parquet")
    real = [*train.loc[train["origin"] == samples.REAL, "image"], *gallery["image"][1:]]
    size = (128, 64)  # of the images that poses were found in
    table.write(real, [size] * len(real), random_poses(len(real), 0), layout.poses())
    return tmp_path


def test_who_is_generated_has_the_pose_that_was_drawn(project):
    output = run("keypoints", "R", "--out", "K")
    entries = pd.read_parquet("R/manifest.parquet")
    poses = pd.read_parquet(layout.poses())
    poses.index = poses["image"].map(lambda name: PurePosixPath(name).name)
    for split, missing in (("train", 0), ("gallery", 1)):
        made = json.loads(Path(f"K/{split}.json").read_text())
        own = entries[entries["split"] == split].set_index("image")
        assert len(made["images"]) == len(own) - missing
        generated = int((own["origin"] != samples.REAL).sum())
        assert f"{split}: {len(own) - missing:,} people, {generated:,} of them generated; {missing:,}" in output
        for image, person in zip(made["images"], made["annotations"], strict=True):
            entry = own.loc[image["file_name"]]
            with Archive("R") as archive:
                height, width = archive.size(image["file_name"])
            assert (image["height"], image["width"], person["identity"]) == (height, width, entry["identity"])
            shown = image["file_name"] if entry["origin"] == samples.REAL else entry["pose_of"]
            pose = poses.loc[PurePosixPath(shown).name]
            wrist = 3 * made["categories"][0]["keypoints"].index("left_wrist")
            if not pose["left_wrist_visible"]:
                assert person["keypoints"][wrist : wrist + 3] == [0, 0, 0]
                continue
            x = (pose["left_wrist_x"] + 0.5) * width / pose["width"] - 0.5
            y = (pose["left_wrist_y"] + 0.5) * height / pose["height"] - 0.5
            assert np.allclose(person["keypoints"][wrist : wrist + 3], [x, y, 2], atol=0.006)


def test_what_has_no_poses_or_no_manifest_is_told(project):
    run("keypoints", "R", "--out", "K")
    assert "K exists; remove it, or choose another --out" in run("keypoints", "R", "--out", "K", fails=True)
    Path("R/manifest.parquet").unlink()
    Path("R/manifest.csv").unlink()
    assert "R has no manifest" in run("keypoints", "R", "--out", "L", fails=True)


def test_poses_of_another_data_set_are_refused(project):
    poses = pd.read_parquet(layout.poses())
    poses["image"] = ["other/" + PurePosixPath(name).name for name in poses["image"]]  # files of the same names
    poses.to_parquet(layout.poses())
    assert "real training images in data/poses/poses.parquet, which has those of 0" in run(
        "keypoints", "R", "--out", "K", fails=True
    )
