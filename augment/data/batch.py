"""What a method is given: source images with their poses, and the pose to draw the person in."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from augment.poses.pose import Pose
from reid.common.errors import InputError


@dataclass(frozen=True)
class Batch:
    """B samples, each with M source images of one person; M is 1 for methods with a single source.

    Args:
        source: (B, M, 3, H, W) RGB in [-1, 1].
        source_pose: (B, M, 18).
        target_pose: (B, 18).
        source_valid: (B, M) bool: which sources to use. The others repeat the first, where a person has fewer than M
            images, and must have no influence. The first is always valid. None: all are.
        identity: (B,) the person, where it is known.
        target: (B, 3, H, W) the real image in the target pose, where there is one (training).
        background: (B, 3, H, W) in [-1, 1], to draw behind the person: x_b^B of Sec. 3.3, where it is given.
        maps: heat maps of the single source's pose and of the target pose, where a method made them once for several
            networks.
        single: what `by_source` gives, where a method made it once for several networks.
        rows: (B, M) int64: which of the people in memory the sources are, where they are of these.
    """

    source: Tensor
    source_pose: Pose
    target_pose: Pose
    source_valid: Tensor | None = None
    identity: Tensor | None = None
    target: Tensor | None = None
    background: Tensor | None = None
    maps: tuple[Tensor, Tensor] | None = None
    single: tuple[Batch, Tensor] | None = None
    rows: Tensor | None = None

    def __len__(self) -> int:
        return len(self.source)

    def single_source(self) -> tuple[Tensor, Pose]:
        """Image (B, 3, H, W) and pose (B, 18) where M is 1; raises InputError for another M."""
        if self.source.shape[1] != 1:
            raise InputError(f"this method takes one source image, got M = {self.source.shape[1]}")
        return self.source[:, 0], self.source_pose[:, 0]

    def source_rows(self) -> Tensor:
        """(B,): which of the people in memory the single source is; raises InputError where that is not known."""
        if self.rows is None or self.rows.shape[1] != 1:
            raise InputError("expected samples with one source each, of the people in memory")
        return self.rows[:, 0]

    def valid(self) -> Tensor:
        """(B, M) bool: which sources to use."""
        if self.source_valid is not None:
            return self.source_valid
        return torch.ones(self.source.shape[:2], dtype=torch.bool, device=self.source.device)

    def by_source(self) -> tuple[Batch, Tensor]:
        """The batch as V samples with one source each, one for each valid source, and whose each is: (V,) samples.

        They have neither identity nor target.
        """
        if self.single is not None:
            return self.single
        if self.source.shape[1] == 1:
            return self, torch.arange(len(self), device=self.source.device)
        whose, which = self.valid().nonzero(as_tuple=True)
        source, pose = self.source[whose, which][:, None], self.source_pose[whose, which][:, None]
        background = None if self.background is None else self.background[whose]
        return Batch(source, pose, self.target_pose[whose], background=background), whose

    def first_sources(self, count: int) -> Batch:
        """The batch with at most so many sources a sample."""
        source, pose = self.source[:, :count], self.source_pose[:, :count]
        valid = None if self.source_valid is None else self.source_valid[:, :count]
        rows = None if self.rows is None else self.rows[:, :count]
        return replace(self, source=source, source_pose=pose, source_valid=valid, single=None, rows=rows)

    def wanted_target(self) -> Tensor:
        """The real target images (B, 3, H, W); raises InputError where there are none."""
        if self.target is None:
            raise InputError("training needs batches with real target images")
        return self.target

    def wanted_background(self) -> Tensor:
        """The background (B, 3, H, W); raises InputError where there is none."""
        if self.background is None:
            raise InputError("this method draws people before a given background, and none is given")
        return self.background

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        parts = (self.source_valid, self.identity, self.target, self.background, self.rows)
        valid, identity, target, background, rows = (None if part is None else part.to(device) for part in parts)
        return Batch(
            self.source.to(device),
            self.source_pose.to(device),
            self.target_pose.to(device),
            valid,
            identity,
            target,
            background,
            maps=None if self.maps is None else (self.maps[0].to(device), self.maps[1].to(device)),
            single=None if self.single is None else (self.single[0].to(device), self.single[1].to(device)),
            rows=rows,
        )
