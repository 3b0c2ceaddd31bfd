"""The pose of a person: 18 joints in OpenPose/COCO-18 order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from reid.common.errors import InputError

JOINTS = (
    "nose",
    "neck",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "right_hip",
    "right_knee",
    "right_ankle",
    "left_hip",
    "left_knee",
    "left_ankle",
    "right_eye",
    "left_eye",
    "right_ear",
    "left_ear",
)
INDEX = {name: index for index, name in enumerate(JOINTS)}
TORSO = tuple(INDEX[name] for name in ("right_hip", "left_hip", "left_shoulder", "right_shoulder"))


@dataclass(frozen=True)
class Pose:
    """Joints of one or more people.

    Convention: pixels, x (to the right) then y (down), the centre of the top left pixel is (0, 0). Coordinates of an
    invisible joint are finite and mean nothing.

    Args:
        joints: (..., 18, 2) float.
        visible: (..., 18) bool: the joint is known. Whether a known joint may be hidden from the camera is up to the
            estimator that found it.
    """

    joints: Tensor
    visible: Tensor

    def __post_init__(self) -> None:
        if self.joints.shape[-2:] != (len(JOINTS), 2) or self.visible.shape != self.joints.shape[:-1]:
            raise InputError(
                f"expected joints (..., 18, 2) and visible (..., 18), "
                f"got {tuple(self.joints.shape)} and {tuple(self.visible.shape)}"
            )

    def __len__(self) -> int:
        return len(self.joints)

    def __getitem__(self, index: object) -> Pose:
        """Index the leading dimensions."""
        return Pose(self.joints[index], self.visible[index])  # type: ignore[index]

    def to(self, device: torch.device | str) -> Pose:
        """The same pose on another device."""
        return Pose(self.joints.to(device), self.visible.to(device))

    def scaled(self, sizes: Sequence[tuple[int, int]], size: tuple[int, int]) -> Pose:
        """Poses (N, 18) in pixels of images of `sizes`, N of (H, W), after these are resized to one `size` (H, W)."""
        factor = torch.tensor(size).flip(0) / torch.tensor(sizes).flip(1).float()
        return Pose((self.joints + 0.5) * factor[:, None] - 0.5, self.visible)

    def has_torso(self) -> Tensor:
        """(...) bool: both hips and both shoulders are known.

        The released code's condition for an image to be used at all: the four joints set the scale of all regions.
        """
        return self.visible[..., list(TORSO)].all(-1)
