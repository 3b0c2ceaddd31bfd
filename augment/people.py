"""Images and poses of people, held in memory, from which batches are cut."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from augment.batch import Batch
from augment.poses import Pose
from reid.images import to_float


@dataclass(frozen=True)
class People:
    """Images with their poses.

    Args:
        images: (N, 3, H, W) uint8 RGB.
        poses: (N, 18), in pixels of these images.
    """

    images: Tensor
    poses: Pose

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device | str) -> People:
        """The same people on another device."""
        return People(self.images.to(device), self.poses.to(device))

    def batch(self, source: Tensor, target: Tensor, with_target: bool = True) -> Batch:
        """One source a sample.

        Args:
            source: (B,) rows of the source images.
            target: (B,) rows of the target poses.
            with_target: whether the batch carries the real target images.
        """
        source, target = source.to(self.images.device), target.to(self.images.device)
        return Batch(
            source=self._images(source)[:, None],
            source_pose=self.poses[source][:, None],
            target_pose=self.poses[target],
            target=self._images(target) if with_target else None,
        )

    def _images(self, rows: Tensor) -> Tensor:
        return to_float(self.images[rows]).contiguous(memory_format=torch.channels_last)
