"""Poses to test with."""

import torch

from augment.poses import INDEX, Pose

STANDING = {
    "nose": (32, 18), "neck": (32, 28), "right_shoulder": (24, 29), "right_elbow": (20, 43), "right_wrist": (19, 56),
    "left_shoulder": (40, 29), "left_elbow": (44, 43), "left_wrist": (45, 56), "right_hip": (27, 60),
    "right_knee": (26, 84), "right_ankle": (26, 106), "left_hip": (37, 60), "left_knee": (38, 84),
    "left_ankle": (38, 106), "right_eye": (30, 16), "left_eye": (34, 16), "right_ear": (28, 17), "left_ear": (36, 17),
}  # fmt: skip


def random_poses(count: int, seed: int, missing: float = 0.12) -> Pose:
    """Standing people with joints moved about; some joints unknown, but for the torso's."""
    random = torch.Generator().manual_seed(seed)
    joints = torch.tensor([STANDING[name] for name in INDEX], dtype=torch.float32).repeat(count, 1, 1)
    scale = 0.85 + 0.25 * torch.rand(count, 1, 2, generator=random)
    joints = (joints - 32) * scale + 32 + 2.5 * torch.randn(count, 18, 2, generator=random)
    visible = torch.rand(count, 18, generator=random) >= missing
    for name in ("right_shoulder", "left_shoulder", "right_hip", "left_hip"):
        visible[:, INDEX[name]] = True
    return Pose(joints, visible)
