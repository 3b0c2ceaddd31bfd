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
MIRRORED = tuple(  # index of the same joint of the other side
    INDEX[name.replace("right_", "left_") if name.startswith("right_") else name.replace("left_", "right_")]
    for name in JOINTS
)
TORSO = tuple(INDEX[name] for name in ("right_hip", "left_hip", "left_shoulder", "right_shoulder"))  # around the torso


@dataclass(frozen=True)
class Pose:
    """Joints of one or more people.

    Convention: pixels, x (to the right) then y (down), the centre of the top left pixel is (0, 0). Joints that are not
    visible have finite coordinates without meaning.

    Args:
        joints: (..., 18, 2) float, in the order of JOINTS.
        visible: (..., 18) bool: whether the joint's position is known. Estimators differ in whether they give a
            position to joints that something hides.

    Raises:
        InputError: the shapes do not fit.
    """

    joints: Tensor
    visible: Tensor

    def __post_init__(self) -> None:
        if self.joints.shape[-2:] != (len(JOINTS), 2) or self.visible.shape != self.joints.shape[:-1]:
            raise InputError(
                f"pose: expected joints (..., 18, 2) and visible (..., 18), in the order of augment.poses.JOINTS, "
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
        """The poses (N, 18) after their images, N of (H, W) `sizes`, are resized to one `size` (H, W).

        Pixel centres are whole numbers, so x' = (x + 0.5) W' / W - 0.5, and y' alike.

        Example:
            >>> import torch
            >>> from augment.poses import Pose
            >>> pose = Pose(torch.full((1, 18, 2), 31.5), torch.ones(1, 18, dtype=torch.bool))
            >>> pose.scaled([(256, 128)], (128, 64)).joints[0, 0]
            tensor([15.5000, 15.5000])
        """
        factor = (torch.tensor(size).flip(0) / torch.tensor(sizes).flip(1).float()).to(self.joints.device)
        return Pose((self.joints + 0.5) * factor[:, None] - 0.5, self.visible)

    def mirrored(self, width: int) -> Pose:
        """The poses in the mirror images of images that are so many pixels wide: left becomes right.

        Example:
            >>> joints = torch.zeros(18, 2)
            >>> joints[INDEX["left_hip"]] = torch.tensor([10.0, 70.0])
            >>> pose = Pose(joints, torch.ones(18, dtype=torch.bool)).mirrored(64)
            >>> pose.joints[INDEX["right_hip"]]
            tensor([53., 70.])
        """
        joints = self.joints[..., list(MIRRORED), :]
        return Pose(torch.stack([width - 1 - joints[..., 0], joints[..., 1]], -1), self.visible[..., list(MIRRORED)])

    def has_torso(self) -> Tensor:
        """(...) bool: both hips and both shoulders are known.

        Only such images are used, as in the released code: these four joints give the scale of all body regions, and
        the torso's affine map.

        Example:
            >>> import torch
            >>> from augment.poses import INDEX, Pose
            >>> visible = torch.ones(2, 18, dtype=torch.bool)
            >>> visible[0, INDEX["nose"]] = False
            >>> visible[1, INDEX["left_hip"]] = False
            >>> Pose(torch.zeros(2, 18, 2), visible).has_torso()
            tensor([ True, False])
        """
        return self.visible[..., list(TORSO)].all(-1)
