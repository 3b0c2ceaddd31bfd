"""Errors of a pose estimator, imitated: Gaussian noise on the joints of arms and legs (Sec. 5.7, Fig. 11).

The text says "the arm and the leg landmarks". Taken here are elbows, wrists, knees and ankles. Shoulders and hips bound
the torso, from which the scale of all body parts is taken, and count as the torso's.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from augment.poses.pose import INDEX, Pose
from reid.randomness.seeds import seed_for

MOVED = tuple(INDEX[f"{side}_{joint}"] for joint in ("elbow", "wrist", "knee", "ankle") for side in ("right", "left"))


def with_noise(pose: Pose, sigma: float, images: Sequence[str], seed: int) -> Pose:
    """The poses with isotropic Gaussian noise of mean 0 on the joints of arms and legs.

    The noise of an image is `sigma` times a draw from the stream of (seed, image): it is the same wherever the image
    occurs, and comparisons over sigma are paired. Joints may leave the image; what is visible stays so.

    Args:
        pose: (N, 18).
        sigma: standard deviation along x and along y, in pixels.
        images: N names.
        seed: of all streams.
    """
    draws = [
        torch.randn(len(MOVED), 2, generator=torch.Generator().manual_seed(seed_for(seed, "pose noise", image)))
        for image in images
    ]
    joints = pose.joints.clone()
    joints[:, list(MOVED)] += sigma * torch.stack(draws).to(joints)
    return Pose(joints, pose.visible)
