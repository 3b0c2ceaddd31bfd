"""Mirror images of samples, with their poses: half of what PG2 and DPIG are trained on."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from augment.data.batch import Batch
from augment.poses.pose import Pose


def draw_flips(batch: Batch, share: float) -> Tensor:
    """(B,) bool, from torch's global random stream: which samples are mirrored, each with probability `share`."""
    return torch.rand(len(batch)).lt(share).to(batch.source.device)


def mirrored(batch: Batch, width: int) -> Batch:
    """The batch with all its images mirrored, and the poses in them: left becomes right.

    Args:
        batch: of images that are `width` pixels wide, or without any; heat maps and samples with one source each that a
            method made of it are left out.
        width: of the images that the poses are in, in pixels.
    """
    target, background = (None if images is None else images.flip(-1) for images in (batch.target, batch.background))
    return replace(
        batch,
        source=batch.source.flip(-1),
        source_pose=batch.source_pose.mirrored(width),
        target_pose=batch.target_pose.mirrored(width),
        target=target,
        background=background,
        maps=None,
        single=None,
    )


def flipped(batch: Batch, share: float, width: int) -> Batch:
    """The batch with some samples mirrored, each with probability `share`; the same batch where that is 0."""
    if not share:
        return batch
    flips, other = draw_flips(batch, share), mirrored(batch, width)

    def chosen(there: Tensor, here: Tensor) -> Tensor:
        return torch.where(flips.view(-1, *[1] * (here.ndim - 1)), there, here)

    def images(there: Tensor | None, here: Tensor | None) -> Tensor | None:
        return None if there is None or here is None else chosen(there, here)

    def poses(there: Pose, here: Pose) -> Pose:
        return Pose(chosen(there.joints, here.joints), chosen(there.visible, here.visible))

    return replace(
        other,
        source=chosen(other.source, batch.source),
        source_pose=poses(other.source_pose, batch.source_pose),
        target_pose=poses(other.target_pose, batch.target_pose),
        target=images(other.target, batch.target),
        background=images(other.background, batch.background),
    )
