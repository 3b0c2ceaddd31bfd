"""A disentangled method whose weights are random, and pass for trained ones."""

import torch

from augment.methods.disentangled.method import Disentangled


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
