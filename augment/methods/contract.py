"""What a method is: the contract between a system that generates images of people and the rest of the project.

A method is a class in `METHODS`, made as `METHODS[name](size=(H, W), **options)`; its options, with their types, bounds
and defaults, are the arguments of its constructor. It owns its networks, its losses, its optimisers and the order of
its training; `augment.training.train` owns time: seeds, resuming, running averages, logs, sheets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from augment.data.batch import Batch
from augment.poses import Pose


@dataclass(frozen=True)
class Needs:
    """What a batch must carry for a method."""

    sources: int = 1  # M, source images of each generated image, at most: of people with fewer, all are given
    background: bool = False  # whether it needs the background to draw behind the person
    background_optional: bool = False  # whether it can do without it too, where a data set has none


@dataclass(frozen=True)
class Phase:
    """A part of a method's training, in which each iteration does the same."""

    name: str
    iterations: int
    batch_size: int  # samples a batch
    batches: int  # fresh batches that an iteration takes, at most
    optimisers: dict[str, torch.optim.Optimizer]  # by name; saved and restored with the networks
    trains: tuple[str, ...]  # names of the networks that change: the others stay in evaluation mode, and as they are
    draws: bool = True  # whether it changes what `generate` gives, so that sheets are drawn
    pixels: bool = True  # whether its batches have images; poses, identities and rows they have anyway


class Method(Protocol):
    """A system that generates images of people.

    A method may also have two static methods that raise ValueError: `check_options(options)` for values that do not go
    together, and `check_size(size)` for an image size (H, W) that it cannot draw. It may have `begin(phase, people)`,
    called before a phase and before the rest of one that was interrupted, for what is made once of all training images;
    batches say by `rows` which of them they have. It may draw from torch's random stream, and initialise networks
    once; a buffer then says that it was done.
    """

    size: tuple[int, int]  # (H, W) of its images
    needs: Needs
    networks: dict[str, nn.Module]  # every trainable network by name
    inference: tuple[str, ...]  # names of the networks that are averaged, and have the averages after their last phase

    def phases(self, device: torch.device) -> Sequence[Phase]:
        """Prepare for training on a device, to which the networks have been moved; returns the phases in order."""
        ...

    def step(self, phase: Phase, iteration: int, batches: Iterator[Batch]) -> dict[str, Tensor]:
        """Run one iteration of a phase: take batches, and update networks with the phase's optimisers.

        It may run under autocast: convolutions then give bfloat16, in which sums and logarithms are not exact enough.

        Args:
            phase: one of `phases`.
            iteration: of the phase, from 0: rates and weights that change over training depend on it alone, so that a
                resumed run is like one that was not interrupted.
            batches: of the phase's size; each is drawn when it is taken, at most as many as the phase says.

        Returns:
            scalar losses by name, the same names in each iteration of the phase; they are logged and must be finite.
        """
        ...

    def usable_source(self, pose: Pose) -> Tensor:
        """(...) bool for poses (...): which images it can use as sources, by the pose of the person in them."""
        ...

    def usable_target(self, pose: Pose) -> Tensor:
        """(...) bool for poses (...): in which poses it can draw a person."""
        ...

    def generate(self, batch: Batch) -> Tensor:
        """Images (B, 3, H, W), RGB in [-1, 1], of the source people in the target poses."""
        ...


def update(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step of an optimiser down the gradient of a scalar loss."""
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
