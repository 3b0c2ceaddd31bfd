"""The accuracy of estimated poses."""

import pytest
import torch
from poses import random_poses

from augment.poses import INDEX, Pose
from pipelines.stages.estimate_poses import compare


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
