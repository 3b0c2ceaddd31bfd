"""Deformable skips and nearest-neighbour loss against the plain way of writing them, forward and backward.

python -m benchmarks.generator_parts
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from augment.geometry.affine import fit_affine
from augment.geometry.body_parts import correspondences
from augment.geometry.warping import part_transforms, routes, warp
from augment.losses import nearest_neighbour
from benchmarks.compare import command, compare
from tests.poses import random_poses

SIZE = (128, 64)
LEVELS = ((64, 1), (128, 2), (256, 4), (512, 8))  # channels and stride of the deformed skips at full width


def tenfold(features: Tensor, affine: Tensor, masks: Tensor, stride: int) -> Tensor:
    """Eq. 3 and 4 as commonly written: ten copies, grid_sample, masks, maximum."""
    batch, channels, height, width = features.shape
    x, y = torch.arange(width).float(), torch.arange(height).float()
    points = torch.stack([x.expand(height, width), y[:, None].expand(height, width), torch.ones(height, width)], -1)
    theta = affine.float().clone()
    theta[..., 2] /= stride
    source = torch.einsum("bpij,hwj->bphwi", theta, points)
    grid = 2 * source / torch.tensor([width - 1, height - 1]) - 1
    copies = features[:, None].expand(-1, 10, -1, -1, -1).reshape(batch * 10, channels, height, width)
    moved = F.grid_sample(copies, grid.view(batch * 10, height, width, 2), "nearest", align_corners=True)
    masked = moved.view(batch, 10, channels, height, width) * masks[:, :, None, ::stride, ::stride]
    return masked.amax(1)


def stacked(generated: Tensor, target: Tensor, size: int) -> Tensor:
    """Eq. 8 as commonly written: all shifts of the target side by side."""
    reach = size // 2
    height, width = generated.shape[2:]
    padded = F.pad(target, (reach,) * 4, value=-10000)
    shifts = [padded[:, :, i : i + height, j : j + width] for i in range(size) for j in range(size)]
    return (torch.stack(shifts, -1) - generated[..., None]).abs().sum(1).amin(-1).mean((1, 2))


def main(batch: int = 4, pairs: int = 256, rounds: int = 7, threads: int = 2) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(threads)
    source, target = random_poses(batch, 0), random_poses(batch, 1)
    affine, masks = part_transforms(source, target, SIZE)
    maps = [
        torch.randn(batch, c, SIZE[0] // s, SIZE[1] // s).contiguous(memory_format=torch.channels_last).requires_grad_()
        for c, s in LEVELS
    ]
    plain = [m.detach().contiguous().requires_grad_() for m in maps]
    compare(
        "warp, four levels at full width, forward and backward",
        lambda: [warp(m, routes(affine, masks, s)).sum().backward() for m, (_, s) in zip(maps, LEVELS, strict=True)],
        lambda: [tenfold(m, affine, masks, s).sum().backward() for m, (_, s) in zip(plain, LEVELS, strict=True)],
        rounds,
    )
    features = [torch.randn(batch, 64, *SIZE).relu() for _ in range(2)]
    last = [f.contiguous(memory_format=torch.channels_last) for f in features]

    def losses(size: int) -> None:
        compare(
            f"nearest-neighbour loss, n = {size}, forward and backward",
            lambda: nearest_neighbour(last[0].requires_grad_(), last[1], size).sum().backward(),
            lambda: stacked(features[0].requires_grad_(), features[1], size).sum().backward(),
            rounds,
        )

    losses(3)
    losses(5)
    many = correspondences(random_poses(pairs, 2), random_poses(pairs, 3))
    compare(f"affine maps of {pairs} pairs", lambda: fit_affine(*many), lambda: one_by_one(*many), rounds)


def one_by_one(targets: Tensor, sources: Tensor, weights: Tensor) -> None:
    """scikit-image's estimate, part by part, as released."""
    import numpy as np
    from skimage.transform import AffineTransform

    for row, part in np.ndindex(weights.shape[:2]):
        kept = weights[row, part].bool()
        if kept.sum() >= 3:
            AffineTransform.from_estimate(targets[row, part][kept].numpy(), sources[row, part][kept].numpy())


if __name__ == "__main__":
    command(main)()
