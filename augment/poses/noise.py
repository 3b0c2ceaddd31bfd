"""Simulated errors of a pose estimator: Gaussian noise on the joints of arms and legs (Sec. 5.7, Fig. 11).

The text disturbs "the arm and the leg landmarks". Here these are elbows, wrists, knees and ankles; shoulders and hips
count as the torso's, which gives the scale of all body regions.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from augment.poses.pose import INDEX, Pose
from reid.randomness.seeds import seed_for

MOVED = tuple(INDEX[f"{side}_{joint}"] for joint in ("elbow", "wrist", "knee", "ankle") for side in ("right", "left"))


def with_noise(pose: Pose, sigma: float, images: Sequence[str], seed: int) -> Pose:
    """The poses with isotropic Gaussian noise of mean 0 on the joints of arms and legs.

    The noise of an image is `sigma` times a draw from the random stream of (seed, image). So it does not depend on the
    other images, and different sigmas are compared on the same draws. Joints may leave the image; `visible` stays as it
    is.

    Args:
        pose: (N, 18).
        sigma: standard deviation along x and along y, in pixels.
        images: names of the N images.
        seed: of all streams.
    """
    draws = [
        torch.randn(len(MOVED), 2, generator=torch.Generator().manual_seed(seed_for(seed, "pose noise", image)))
        for image in images
    ]
    joints = pose.joints.clone()
    joints[:, list(MOVED)] += sigma * torch.stack(draws).to(joints)
    return Pose(joints, pose.visible)
