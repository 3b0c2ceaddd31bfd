"""Images and poses of people, held in memory, from which batches are cut."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from augment.data.batch import Batch
from augment.poses import Pose
from reid.common.errors import InputError
from reid.files.images import to_float


@dataclass(frozen=True)
class People:
    """Images with their poses.

    Args:
        images: (N, 3, H, W) uint8 RGB.
        poses: (N, 18), in pixels of these images.
        backgrounds: (N, 3, H, W) uint8 RGB, each image's place without the person, where the data set has them.
    """

    images: Tensor
    poses: Pose
    backgrounds: Tensor | None = None

    def __post_init__(self) -> None:
        if self.backgrounds is not None and self.backgrounds.shape != self.images.shape:
            raise InputError(
                f"expected a background for each image, {tuple(self.images.shape)}, got {tuple(self.backgrounds.shape)}"
            )

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device | str) -> People:
        """The same people on another device."""
        backgrounds = None if self.backgrounds is None else self.backgrounds.to(device)
        return People(self.images.to(device), self.poses.to(device), backgrounds)

    def batch(self, source: Tensor, target: Tensor, with_target: bool = True) -> Batch:
        """One source a sample; the background, where there are any, is that of the target (Sec. 3.3).

        Args:
            source: (B,) rows of the source images.
            target: (B,) rows of the target poses.
            with_target: whether the batch carries the real target images.
        """
        source, target = source.to(self.images.device), target.to(self.images.device)
        return Batch(
            source=_float(self.images[source])[:, None],
            source_pose=self.poses[source][:, None],
            target_pose=self.poses[target],
            target=_float(self.images[target]) if with_target else None,
            background=None if self.backgrounds is None else _float(self.backgrounds[target]),
        )


def _float(images: Tensor) -> Tensor:
    return to_float(images).contiguous(memory_format=torch.channels_last)
