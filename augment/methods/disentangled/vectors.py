"""The fully connected networks of DPIG: the pose auto-encoder, the mappings from noise, and their critics.

All are made of residual units, with leaky ReLU as released, with ReLU in the text.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from augment.conventions import ReleasedOrPaper
from augment.poses import Pose
from augment.poses.pose import JOINTS

UNITS = 4
HIDDEN = 512
POSE_CODE = 32
SLOPE: dict[ReleasedOrPaper, float] = {"released": 0.2, "paper": 0.0}  # of leaky ReLU
CRITIC_LAYERS: dict[ReleasedOrPaper, int] = {"released": 5, "paper": 4}


class Unit(nn.Module):
    """Two linear layers, each with a leaky ReLU, and the input added."""

    def __init__(self, hidden: int, slope: float):
        super().__init__()
        self.first, self.second, self.slope = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden), slope

    def forward(self, x: Tensor) -> Tensor:
        """(B, hidden) to the same shape."""
        return x + F.leaky_relu(self.second(F.leaky_relu(self.first(x), self.slope)), self.slope)


class Mapping(nn.Sequential):
    """A linear layer with a leaky ReLU, four residual units, a linear layer: (B, inputs) to (B, outputs)."""

    taught: Tensor  # bool: whether it has been trained

    def __init__(self, inputs: int, outputs: int, hidden: int = HIDDEN, convention: ReleasedOrPaper = "released"):
        slope = SLOPE[convention]
        units = (Unit(hidden, slope) for _ in range(UNITS))
        super().__init__(nn.Linear(inputs, hidden), nn.LeakyReLU(slope), *units, nn.Linear(hidden, outputs))
        self.register_buffer("taught", torch.tensor(False))


class Critic(nn.Module):
    """How real an embedding is: (B, dimensions) to (B,), without bound. Five linear layers, in the text four."""

    def __init__(self, dimensions: int, hidden: int = HIDDEN, convention: ReleasedOrPaper = "released"):
        super().__init__()
        widths = [dimensions, *[hidden] * (CRITIC_LAYERS[convention] - 1), 1]
        self.layers = nn.ModuleList(nn.Linear(own, more) for own, more in itertools.pairwise(widths))
        self.slope = SLOPE[convention]

    def forward(self, x: Tensor) -> Tensor:
        """(B, dimensions) to (B,)."""
        *inner, last = self.layers
        for layer in inner:
            x = F.leaky_relu(layer(x), self.slope)
        judged: Tensor = last(x)
        return judged[:, 0]


class PoseDecoder(nn.Module):
    """From an embedding to a pose: coordinates, and whether each joint is visible.

    Its first layer is linear in the released code, unlike that of a mapping.
    """

    def __init__(self, hidden: int = HIDDEN, convention: ReleasedOrPaper = "released"):
        super().__init__()
        self.first = nn.Linear(POSE_CODE, hidden)
        self.units = nn.Sequential(*(Unit(hidden, SLOPE[convention]) for _ in range(UNITS)))
        self.coordinates = nn.Linear(hidden, 2 * len(JOINTS))
        self.visibility = nn.Linear(hidden, len(JOINTS))

    def forward(self, codes: Tensor) -> Tensor:
        """Embeddings (B, 32) to pose vectors (B, 18, 3) as `pose_vectors` gives them, visibility rounded to 0 or 1.

        The rounding passes gradients on as they are (straight through).
        """
        hidden = self.units(self.first(codes))
        share = torch.sigmoid(self.visibility(hidden))
        visible = share + (share.round() - share).detach()
        return torch.cat([self.coordinates(hidden).unflatten(1, (-1, 2)), visible[..., None]], 2)


def pose_vectors(pose: Pose, size: tuple[int, int]) -> Tensor:
    """Poses (B, 18) as vectors (B, 18, 3): x and y from -1 at the first pixel to 1 behind the last, and visibility.

    A joint that is not visible is (-1, -1, 0).

    Args:
        pose: in pixels of an image of `size`.
        size: (H, W).
    """
    scale = torch.tensor([2 / size[1], 2 / size[0]], device=pose.joints.device)
    joints = torch.where(pose.visible[..., None], pose.joints * scale - 1, -1.0)
    return torch.cat([joints, pose.visible[..., None].to(joints.dtype)], -1)


def poses_of(vectors: Tensor, size: tuple[int, int]) -> Pose:
    """The poses (B, 18) of pose vectors (B, 18, 3), in pixels of an image of `size` (H, W)."""
    scale = torch.tensor([2 / size[1], 2 / size[0]], device=vectors.device)
    return Pose((vectors[..., :2] + 1) / scale, vectors[..., 2] > 0.5)


def initialise_critic(critic: Critic) -> None:
    """He's initial weights, uniform, for all layers but the last, as released; that and the biases stay as they are."""
    *inner, _ = critic.layers
    for layer in inner:
        nn.init.kaiming_uniform_(layer.get_parameter("weight"))
