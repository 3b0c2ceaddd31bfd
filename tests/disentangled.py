"""A small disentangled method, people for it, and random weights that pass for trained ones."""

import torch
from poses import random_poses

from augment.data.people import People
from augment.methods.disentangled.method import Disentangled

SIZE = (128, 64)
TINY = {
    "width": 1 / 32,
    "iterations": 2,
    "batch_size": 2,
    "pose_iterations": 2,
    "pose_batch_size": 3,
    "mapping_iterations": 2,
    "pose_mapping_iterations": 2,
    "mapping_batch_size": 2,
    "learning_rate": 1e-3,
    "vector_learning_rate": 1e-3,
    "flip": 0.0,
}
PEOPLE = People(
    torch.randint(0, 256, (6, 3, 128, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
    random_poses(6, 0),
)


def taught(size=(128, 64), **options):
    """A method that has learnt what it has iterations for, as far as it knows."""
    torch.manual_seed(0)
    method = Disentangled(size, **options)
    for name, mapping in {
        "pose": method.pose_encoder,
        **{f"{k} mapping": m for k, m in method.mappings.items()},
    }.items():
        mapping.taught.fill_(method.lengths[name][0] > 0)
    return method
