import numpy as np
import torch
from poses import random_poses
from scipy.stats import kstest

from augment.poses import JOINTS
from augment.poses.noise import with_noise

POSE = random_poses(400, seed=0)
NAMES = [f"image {number}" for number in range(400)]
MOVED = [name.split("_")[-1] in ("elbow", "wrist", "knee", "ankle") for name in JOINTS]


def shifts(sigma, seed=0):
    return (with_noise(POSE, sigma, NAMES, seed).joints - POSE.joints).numpy()


def test_arms_and_legs_move_by_a_normal_distribution_and_nothing_else_does():
    moved = shifts(5)
    assert sum(MOVED) == 8
    assert not moved[:, [not m for m in MOVED]].any()
    found = moved[:, MOVED]
    assert kstest(found.ravel() / 5, "norm").pvalue > 0.01
    assert abs(np.corrcoef(found[..., 0].ravel(), found[..., 1].ravel())[0, 1]) < 0.05
    assert np.unique(found.round(3)).size > 0.7 * found.size, "every joint has its own"
    assert torch.equal(with_noise(POSE, 5, NAMES, 0).visible, POSE.visible)


def test_noise_belongs_to_the_image_and_grows_with_sigma():
    np.testing.assert_allclose(shifts(15), 3 * shifts(5), atol=1e-3)
    assert not shifts(0).any()
    assert not np.allclose(shifts(5, seed=1), shifts(5))
    turned = with_noise(POSE[torch.tensor([7, 3])], 5, [NAMES[7], NAMES[3]], 0)
    assert torch.equal(turned.joints, with_noise(POSE, 5, NAMES, 0).joints[[7, 3]])
