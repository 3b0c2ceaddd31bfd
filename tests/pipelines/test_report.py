import pandas as pd
import pytest
import torch
from conftest import random_poses

from augment.poses import INDEX, Pose
from pipelines.report import tables
from pipelines.stages.estimate_poses import compare

IMAGES = {
    "real": {"scores": {"ssim": 1.0, "is": 3.5, "fd": 97.58, "identity_rank1": 67.5}},
    "full": {"scores": {"ssim": 0.14567, "fd": 523.9, "identity_rank1": 6.04}},
}


def test_images_table_leaves_out_what_nobody_has_and_shows_published_numbers():
    shown = tables.image_table(IMAGES, published=True)
    assert list(shown) == ["images", "SSIM", "IS", "FD", "identity Rank-1"]
    assert shown.iloc[0].tolist() == ["real", "1.000 (1.000)", "3.500 (3.860)", "97.6", "67.5"]
    assert shown.iloc[1].tolist() == ["full", "0.146 (0.290)", "- (3.185)", "523.9", "6.0"]
    assert tables.image_table(IMAGES, published=False).iloc[1].tolist() == ["full", "0.146", "-", "523.9", "6.0"]


def test_files_are_escaped(tmp_path):
    shown = [
        (pd.DataFrame([{"training set": "my_gan-a2", "Rank-1": "70.0"}]), "a_b <c>"),
        (tables.image_table(IMAGES, False), "d_e"),
    ]
    tables.write(shown, tmp_path)
    latex = (tmp_path / "table.tex").read_text()
    assert r"my\_gan-a2" in latex
    assert r"a\_b" in latex
    assert "a_b &lt;c&gt;" in (tmp_path / "table.html").read_text()
    markdown = (tmp_path / "table.md").read_text()
    assert "| my_gan-a2 " in markdown
    assert markdown.index("a_b <c>") < markdown.index("| full ") < markdown.index("d_e")


def test_accuracy_counts_what_was_not_found_as_missed():
    truth = random_poses(1, 0, missing=0)
    joints, visible = truth.joints.clone(), truth.visible.clone()
    joints[0, INDEX["nose"]] += torch.tensor([3.0, 4.0])  # five pixels: not within 0.05 of some 88 pixels
    joints[0, INDEX["neck"]] += 1
    visible[0, INDEX["left_ear"]] = False
    joints[0, INDEX["left_ear"]] = 1000
    accuracy = compare(Pose(joints, visible), truth)
    assert (accuracy["joints"], accuracy["found"]) == (18, round(17 / 18, 3))
    assert accuracy["mean_error_px"] == pytest.approx((5 + 2**0.5) / 17, abs=0.01)
    assert accuracy["pck"] == pytest.approx(16 / 18, abs=0.001)
    assert (accuracy["pck_by_joint"]["left_ear"], accuracy["pck_by_joint"]["nose"]) == (0, 0)
