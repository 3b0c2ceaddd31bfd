"""What disentangled people allow: factors exchanged, made of noise, and everything between two images or two noises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from augment.data.batch import Batch
from augment.methods.disentangled.appearance import Appearance
from augment.methods.disentangled.method import CODES, Disentangled, Factor
from augment.poses import Pose
from reid.randomness.seeds import seed_for

STEPS = 500  # of the gradient descent from an embedding to its noise
RATE = 0.05  # of Adam in these


class Factors(NamedTuple):
    """Embeddings, or noise, of B people."""

    foreground: Tensor  # (B, 224)
    background: Tensor  # (B, 128)
    pose: Tensor  # (B, 32)

    def of(self, which: list[int]) -> Factors:
        """Those of some of the people."""
        return Factors(*(part[which] for part in self))


def encoded(method: Disentangled, images: Tensor, poses: Pose) -> Factors:
    """The embeddings of images (B, 3, H, W) in [-1, 1] of people in poses (B, 18)."""
    return Factors(*method.encode(images, poses), method.encode_pose(poses))


def noise(method: Disentangled, count: int, device: torch.device | str = "cpu") -> Factors:
    """Noise of all three factors, from torch's global random stream."""
    return Factors(*(method.noise(name, count, device) for name in CODES))


def from_noise(method: Disentangled, given: Factors) -> Factors:
    """The embeddings of noise."""
    return Factors(*(method.from_noise(name, part) for name, part in zip(CODES, given, strict=True)))


def composed(method: Disentangled, factors: Factors) -> Tensor:
    """Images (B, 3, H, W) in [-1, 1] of embeddings."""
    return method.compose(Appearance(factors.foreground, factors.background), method.decode_pose(factors.pose))


def interpolated(method: Disentangled, first: Factors, ends: Factors, factors: Sequence[Factor], count: int) -> Tensor:
    """Images (count, 3, H, W) in [-1, 1] between two people, evenly in the noise of some factors.

    Args:
        method: trained.
        first: embeddings of the first person, (1, K) each: the other factors stay as they are here.
        ends: noise of both people, (2, K) each.
        factors: those that change.
        count: of images, the ends among them.
    """
    kept = {name: getattr(first, name).expand(count, -1) for name in CODES if name not in factors}
    return composed(method, from_noise(method, between(ends, count))._replace(**kept))


def recomposed(
    method: Disentangled, batch: Batch, of_noise: Sequence[Factor] = (), background_poses: Pose | None = None
) -> Tensor:
    """Images (B, 3, H, W) in [-1, 1] of the source people in the target poses, with other factors where that is wanted.

    Args:
        method: trained.
        batch: with a single source a sample; where it has backgrounds, these are drawn behind the people.
        of_noise: factors that are made of noise instead, from torch's global random stream.
        background_poses: (B, 18) of people in the backgrounds, who are left out; None: there are none.
    """
    image, pose = batch.single_source()
    appearance, target = method.encode(image, pose), batch.target_pose
    if batch.background is not None:
        shown = background_poses or Pose(pose.joints, torch.zeros_like(pose.visible))
        appearance = appearance._replace(background=method.embeddings("background", batch.background, shown))
    drawn = {name: method.from_noise(name, method.noise(name, len(image), image.device)) for name in of_noise}
    target = method.decode_pose(drawn.pop("pose")) if "pose" in drawn else target
    return method.compose(appearance._replace(**drawn), target)


def invented(
    method: Disentangled, people: Sequence[int], names: Sequence[str], poses: Pose | None, seed: int
) -> tuple[Appearance, Pose]:
    """People who do not exist: one foreground each, and for each image a background and, unless it is given, a pose.

    Each has noise of a random stream of its own, of the seed and the person's number, or the seed and the image's name.

    Args:
        method: trained.
        people: (N,) number of the person in each image.
        names: (N,) of the images.
        poses: (N, 18) of the people, on the method's device; None to make them of noise too.
        seed: of the noise.

    Returns:
        what `Disentangled.compose` takes, on the method's device.
    """
    device = next(method.composer.parameters()).device

    def of_noise(factor: Factor, streams: Sequence[int | str]) -> Tensor:
        drawn = []
        for stream in streams:
            torch.manual_seed(seed_for(seed, factor, stream))
            drawn.append(method.noise(factor, 1))
        return method.from_noise(factor, torch.cat(drawn).to(device))

    numbers, places = np.unique(np.asarray(people), return_inverse=True)
    which = torch.from_numpy(places).to(device)
    appearance = Appearance(of_noise("foreground", numbers.tolist())[which], of_noise("background", names))
    return appearance, method.decode_pose(of_noise("pose", names)) if poses is None else poses


def to_noise(mapping: nn.Module, codes: Tensor, steps: int = STEPS, rate: float = RATE) -> Tensor:
    """The noise (B, K) that a mapping takes nearest to embeddings (B, K): gradient descent on the squared distance.

    It begins at 0, the middle of the noise. The paper (Sec. 4.4) says neither steps nor rate; Adam descends here.
    """
    with torch.enable_grad():
        found = torch.zeros_like(codes, requires_grad=True)
        optimiser = torch.optim.Adam([found], rate)
        for _ in range(steps):
            (gradient,) = torch.autograd.grad((mapping(found) - codes).square().sum(), found)
            found.grad = gradient
            optimiser.step()
    return found.detach()


def noise_of(method: Disentangled, factors: Factors) -> Factors:
    """The noise whose embeddings are nearest to given ones, by `to_noise`."""
    return Factors(
        *(
            to_noise(method.mappings[name], part) if name in method.mappings else part
            for name, part in zip(CODES, factors, strict=True)
        )
    )


def between(ends: Factors, count: int) -> Factors:
    """Evenly spaced noise from one person's to another's, (2, K) together: (count, K), the ends among them."""
    steps = torch.linspace(0, 1, count)[:, None]
    return Factors(*(part[:1] + steps.to(part) * (part[1:] - part[:1]) for part in ends))
