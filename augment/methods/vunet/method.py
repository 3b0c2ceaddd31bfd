"""The method of VUNet: a person's appearance as codes of body parts, drawn in the shape of any pose.

It learns to compose single images again, from the parts and the stickman of each, without pairs and without identities.
To redraw a person, it takes the codes' means from one image and the stickman of another pose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from augment.conventions import ReleasedOrPaper
from augment.data.batch import Batch
from augment.data.people import People
from augment.data.tuples import Tuples
from augment.geometry.part_crops import PARTS, part_crops
from augment.geometry.stickman import stickman
from augment.methods.contract import Needs, Phase, update
from augment.methods.vunet.losses import divergence, perceptual, ramp
from augment.methods.vunet.network import LEVELS, VariationalUNet
from augment.networks.features import FEATURES
from augment.networks.weight_norm import initialise_by_data
from augment.poses import Pose
from reid.common.errors import InputError
from reid.common.parameters import Count, Positive, Rate, Size, one_of

LARGE = 128  # pixels of a side, up to which body parts are halved once, above twice
LEAST_LEVELS = 4  # of shapes
INITIAL_BATCHES = 4  # that gains and biases are initialised by
LEAST_DIVERGENCE = 1e-6  # weight of the divergence before it is raised


class VUNet:
    """One phase. Images of any aspect are drawn as squares, whose side is their longer one.

    Networks have seven levels where that is a multiple of 128, as in the paper, else one for each time that it can be
    halved.

    The rate falls on a line from `decay_start` to 0 at the end; the weight of the divergence rises from 1e-6 to 1 on a
    line from `divergence_start` to `divergence_end`. Until then codes tell almost anything about an image.
    """

    def __init__(
        self,
        size: Size,  # (H, W) of the images
        width: Rate = 1.0,  # scales the filters of all convolutions; 1 is the paper's
        convention: ReleasedOrPaper = "released",  # the text encodes appearances of parts of the stickman too
        features: Annotated[str, one_of(FEATURES)] = "vgg19",  # that images are compared by
        blocks: Annotated[int, Field(ge=1, le=5)] = 5,  # of the VGG: the second layer of each is compared
        iterations: Positive = 100_000,
        batch_size: Positive = 16,
        learning_rate: Rate = 1e-3,  # of Adam, until it falls
        decay_start: Count = 1_000,  # iteration from which the rate falls
        divergence_start: Count = 50_000,  # iteration from which the divergence gets weight
        divergence_end: Count = 75_000,  # iteration from which its weight is 1
        reconstruction_weight: Rate = 5.0,  # of the perceptual loss
    ):
        self.size, self.needs, self.convention = size, Needs(), convention
        self.iterations, self.batch_size, self.learning_rate = iterations, batch_size, learning_rate
        self.decay_start, self.divergence_start, self.divergence_end = decay_start, divergence_start, divergence_end
        self.reconstruction_weight = reconstruction_weight
        self.side = max(size)
        self.halved = 1 if self.side <= LARGE else 2
        channels = 6 if convention == "paper" else 3
        levels = next(n for n in range(LEVELS, 0, -1) if self.side % 2**n == 0)  # the prior halves the coarsest again
        self.generator = VariationalUNet(PARTS * channels, self.halved, width, levels)
        self.networks: dict[str, nn.Module] = {"generator": self.generator}
        self.inference: tuple[str, ...] = ("generator",)
        self.layers = [f"conv{block}_2" for block in range(1, blocks + 1)]
        self.feature_name, self.features = features, FEATURES["pixels"](self.layers[-1])  # until training begins

    @staticmethod
    def check_size(size: tuple[int, int]) -> None:
        """Raise InputError where squares of images of (H, W) cannot be halved as often as the least U-Net does."""
        if max(size) % 2**LEAST_LEVELS:
            raise InputError(
                f"image_size: expected a longer side that is a multiple of {2**LEAST_LEVELS}, got {size[0]}x{size[1]}: "
                f"set image_size to such a size"
            )

    @staticmethod
    def check_options(options: dict[str, Any]) -> None:
        """Raise ValueError where the steps of the schedule are not one after the other within the training."""
        start, end, last = options["divergence_start"], options["divergence_end"], options["iterations"]
        if start > end:
            raise ValueError(f"divergence_start {start} is after divergence_end {end}; set it to {end} at most")
        for name, at in (("divergence_end", end), ("decay_start", options["decay_start"])):
            if at > last:
                raise ValueError(f"{name} {at} is after the {last} iterations; set it to {last} at most")

    def phases(self, device: torch.device) -> Sequence[Phase]:
        """The phase; loads the features."""
        self.features = FEATURES[self.feature_name](self.layers[-1]).to(device)
        adam = torch.optim.Adam(self.generator.parameters(), self.learning_rate, (0.5, 0.9), fused=True)
        return [Phase("image", self.iterations, self.batch_size, 1, {"generator": adam}, ("generator",))]

    def begin(self, phase: Phase, people: People) -> None:
        """Initialise gains and biases by four batches of evenly spaced usable images, unless that was done before."""
        if self.generator.initialised:
            return
        usable = self.usable_source(people.poses).nonzero()[:, 0]
        places = torch.linspace(0, len(usable) - 1, INITIAL_BATCHES * self.batch_size, device=usable.device)
        rows = usable[places.long()]
        image, pose = people.batch(Tuples.of_pairs(rows, rows), with_target=False).single_source()
        parts, stickmen = self._parts(image, pose), self._stickmen(pose)
        initialise_by_data(self.generator, lambda: self.generator(parts, stickmen, learning=True))
        self.generator.initialised.fill_(True)

    def step(self, phase: Phase, iteration: int, batches: Iterator[Batch]) -> dict[str, Tensor]:
        """A step on single images: each is drawn again, from its own parts in its own pose."""
        for group in phase.optimisers["generator"].param_groups:
            group["lr"] = ramp(iteration, self.decay_start, self.iterations, self.learning_rate, 0.0)
        image, pose = next(batches).single_source()
        drawn = self.generator(self._parts(image, pose), self._stickmen(pose), learning=True)
        reconstruction = perceptual(self.features, self.layers, drawn.images, self._square(image))
        divergent = divergence(drawn.posteriors, drawn.priors)
        weight = ramp(iteration, self.divergence_start, self.divergence_end, LEAST_DIVERGENCE, 1.0)
        update(phase.optimisers["generator"], self.reconstruction_weight * reconstruction + weight * divergent)
        return {"reconstruction": reconstruction, "divergence": divergent}

    def usable_source(self, pose: Pose) -> Tensor:
        """(...) bool: images that show both shoulders and hips, as in the paper."""
        return pose.has_torso()

    def usable_target(self, pose: Pose) -> Tensor:
        """(...) bool: as for sources."""
        return pose.has_torso()

    def generate(self, batch: Batch) -> Tensor:
        """Images (B, 3, H, W) in [-1, 1] of the source people in the target poses, by the means of their codes."""
        squares = self.generator(self._parts(*batch.single_source()), self._stickmen(batch.target_pose)).images
        images = F.interpolate(squares, self.size, mode="bilinear", antialias=True)
        return images.clamp(-1, 1)

    def _square(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W) stretched to squares (B, C, S, S)."""
        if tuple(images.shape[2:]) == (self.side, self.side):
            return images
        return F.interpolate(images, (self.side, self.side), mode="bilinear")

    def _in_square(self, pose: Pose) -> Pose:
        """Poses (B, 18) of images in the squares that these are stretched to."""
        return pose.scaled([self.size], (self.side, self.side))

    def _stickmen(self, pose: Pose) -> Tensor:
        """The stickmen (B, 3, S, S) of poses (B, 18)."""
        return stickman(self._in_square(pose), (self.side, self.side))

    def _parts(self, images: Tensor, pose: Pose) -> Tensor:
        """The body parts (B, 24 or 48, s, s) of images (B, 3, H, W) of people in poses (B, 18)."""
        squares = self._square(images)
        if self.convention == "paper":
            squares = torch.cat([squares, self._stickmen(pose)], 1)
        return part_crops(squares, self._in_square(pose), self.side // 2**self.halved)
