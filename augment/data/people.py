"""Images and poses of people, held in memory, from which batches are cut."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from augment.data.batch import Batch
from augment.data.tuples import Tuples
from augment.poses import Pose
from reid.common.errors import InputError
from reid.files.images import to_float


@dataclass(frozen=True)
class People:
    """Images with their poses.

    Args:
        images: (N, 3, H, W) uint8 RGB.
        poses: (N, 18), in pixels of these images.
        backgrounds: (N, 3, H, W) uint8 RGB, the same pictures without the person, where the data set has them.
        identities: (N,) int64, where they are known.
        bank: (P, 18) poses of anybody, for methods that learn to draw people in foreign poses.

    Raises:
        InputError: the shape of the backgrounds is not that of the images.
    """

    images: Tensor
    poses: Pose
    backgrounds: Tensor | None = None
    identities: Tensor | None = None
    bank: Pose | None = None

    def __post_init__(self) -> None:
        if self.backgrounds is not None and self.backgrounds.shape != self.images.shape:
            raise InputError(
                f"expected a background for each image, {tuple(self.images.shape)}, got {tuple(self.backgrounds.shape)}"
            )

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device | str) -> People:
        """The same people on another device."""
        backgrounds, identities = (
            None if part is None else part.to(device) for part in (self.backgrounds, self.identities)
        )
        bank = None if self.bank is None else self.bank.to(device)
        return People(self.images.to(device), self.poses.to(device), backgrounds, identities, bank)

    def batch(self, tuples: Tuples, with_target: bool = True, pixels: bool = True, in_bank: bool = False) -> Batch:
        """A batch of B samples with M sources each; backgrounds, where there are any, are the targets' (Sec. 3.3).

        Args:
            tuples: B tuples: indices of the source images, and of the images whose poses are the targets.
            with_target: whether the batch carries the real target images.
            pixels: whether it carries images at all; without, the sources have a height and width of 0.
            in_bank: whether the targets are poses of the bank instead, of which there are no images: there are no
                targets then, and backgrounds are the first sources'.
        """
        sources, valid, targets = (part.to(self.images.device) for part in tuples)
        images, flat = self.images if pixels else self.images[..., :0, :0], sources.flatten()
        poses = self.bank if in_bank else self.poses
        if poses is None:
            raise InputError(
                "no pose bank is given: set poses in the section of gan, or draw in the poses of these people"
            )
        behind = sources[:, 0] if in_bank else targets
        return Batch(
            source=_float(images[flat]).unflatten(0, tuple(sources.shape)),
            source_pose=self.poses[sources],
            target_pose=poses[targets],
            source_valid=valid,
            identity=None if self.identities is None else self.identities[sources[:, 0]],
            target=_float(self.images[targets]) if with_target and pixels and not in_bank else None,
            background=_float(self.backgrounds[behind]) if self.backgrounds is not None and pixels else None,
            rows=sources,
        )


def _float(images: Tensor) -> Tensor:
    return to_float(images).contiguous(memory_format=torch.channels_last)
