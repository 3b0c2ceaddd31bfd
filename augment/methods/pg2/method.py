"""The method of PG2: a coarse image of the person in the target pose, then what makes it look real."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from augment.conventions import ReleasedOrPaper
from augment.data.batch import Batch
from augment.data.flips import flipped
from augment.geometry.discs import coarse_mask, discs
from augment.losses import logistic
from augment.methods.contract import Needs, Phase, update
from augment.methods.pg2.refiner import Refiner
from augment.networks.blocks import Start, channels_last, initialise, scaled
from augment.networks.dcgan import HALVINGS, DCGANDiscriminator
from augment.networks.residual_unet import WIDTH, ResidualUNet, coarsest
from augment.poses import Pose
from augment.poses.pose import JOINTS
from reid.common.parameters import Positive, Rate, Share, Size

LARGE = 128  # pixels; above, all networks have one level more, and the refiner a further skip connection
LEVELS, REFINING_LEVELS = 5, 3  # of the U-Nets of both stages, up to LARGE
RADIUS = 4  # of the discs at joints and of the target's mask, in pixels at every size


class PG2:
    """Two phases: pose integration, by a masked L1 loss, and refinement, by an adversarial loss too.

    The second stage works with the first one's network as it is by then. The pose of the source person is not used.
    """

    def __init__(
        self,
        size: Size,  # (H, W) of the images
        width: Rate = 1.0,  # scales the filters of all convolutions; 1 is the paper's
        convention: ReleasedOrPaper = "released",  # the released code, or the formulas of the text
        start: Start = "glorot",  # the initial weights, as released or torch's
        iterations: Positive = 22_000,  # of pose integration, as released for 128x64
        refinement: Positive = 38_000,  # iterations of the second stage, likewise
        batch_size: Positive = 16,  # 1 at 256x256
        learning_rate: Rate = 2e-5,  # of Adam, for all networks
        reconstruction_weight: Rate = 10.0,  # lambda of the second stage's L1 loss
        flip: Share = 0.5,  # probability of mirroring both images of a pair and their poses
    ):
        self.size, self.needs, self.convention, self.flip = size, Needs(), convention, flip
        self.batch_size, self.learning_rate = batch_size, learning_rate
        self.reconstruction_weight = reconstruction_weight
        (filters,) = scaled((WIDTH,), width)
        self.large = max(size) > LARGE
        more = int(self.large)
        self.integrator = ResidualUNet(size, 3 + len(JOINTS), filters, LEVELS + more)
        self.refiner = Refiner(size, filters, REFINING_LEVELS + more, finest=self.large)
        self.discriminator = DCGANDiscriminator(size, width, 2 if convention == "paper" else 1, HALVINGS + more)
        self.networks: dict[str, nn.Module] = {
            "integrator": self.integrator,
            "refiner": self.refiner,
            "discriminator": self.discriminator,
        }
        self.inference: tuple[str, ...] = ("integrator", "refiner")
        for network in (self.integrator, self.refiner):
            initialise(network, start)
        # Nothing is added until the second stage has begun, so that what is generated before is the first one's image.
        for parameter in self.refiner.last.parameters():
            nn.init.zeros_(parameter)
        self.lengths = {"integration": iterations, "refinement": refinement}

    @staticmethod
    def check_size(size: tuple[int, int]) -> None:
        """Raise InputError where images of (H, W) cannot be halved as often as the U-Net does."""
        coarsest(size, LEVELS + (max(size) > LARGE))

    def phases(self, device: torch.device) -> Sequence[Phase]:
        """Both phases."""
        for module in self.networks.values():
            channels_last(module)
        trained = {"integration": ("integrator",), "refinement": ("refiner", "discriminator")}
        batches = {"integration": 1, "refinement": 2}
        return [
            Phase(
                name,
                iterations,
                self.batch_size,
                batches[name],
                {network: self._optimiser(network) for network in trained[name]},
                trained[name],
            )
            for name, iterations in self.lengths.items()
        ]

    def _optimiser(self, network: str) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.networks[network].parameters(), self.learning_rate, (0.5, 0.999), fused=True)

    def step(self, phase: Phase, iteration: int, batches: Iterator[Batch]) -> dict[str, Tensor]:
        """A step of the first stage's network; or of the second one's, then of the discriminator with other pairs."""
        batch = flipped(next(batches), self.flip, self.size[1])
        if phase.name == "integration":
            loss = self._distance(self.coarse(batch), batch)
            update(phase.optimisers["integrator"], loss)
            return {"reconstruction": loss}

        self.discriminator.requires_grad_(False)
        coarse, fine = self._both(batch)
        adversarial = logistic(self._judged(batch, coarse, fine)[-1], real=True).mean()
        reconstruction = self._distance(fine, batch)
        update(phase.optimisers["refiner"], adversarial + self.reconstruction_weight * reconstruction)
        self.discriminator.requires_grad_(True)

        batch = flipped(next(batches), self.flip, self.size[1])
        with torch.no_grad():
            coarse, fine = self._both(batch)
        on_real, *on_fakes = self._judged(batch, coarse, fine)
        fakes = logistic(torch.cat(on_fakes), real=False).mean()
        loss_d = logistic(on_real, real=True).mean() + fakes
        loss_d = loss_d if self.convention == "paper" else 0.5 * loss_d
        update(phase.optimisers["discriminator"], loss_d)
        return {"discriminator": loss_d, "adversarial": adversarial, "reconstruction": reconstruction}

    def _judged(self, batch: Batch, coarse: Tensor, fine: Tensor) -> list[Tensor]:
        """Logits (B,) of the discriminator: of what is real, then of each fake, the generated images last.

        As released it sees single images, and the source images are fakes too: an image has to be in the target pose,
        not only real. Its batch normalisation is over all of them, and up to 128 pixels over the coarse images too. In
        the text it sees pairs of the source and an image.
        """
        source, _ = batch.single_source()
        target = batch.wanted_target()
        if self.convention == "paper":
            pairs = [torch.cat([source, image], 1) for image in (target, fine)]
            return list(self.discriminator(torch.cat(pairs)).chunk(2))
        images = [target, source, fine] + [coarse] * (not self.large)
        return list(self.discriminator(torch.cat(images)).chunk(len(images))[:3])

    def _distance(self, images: Tensor, batch: Batch) -> Tensor:
        """The L1 distance of images (B, 3, H, W) to the targets, in which pixels of the person count twice."""
        mask = coarse_mask(batch.target_pose, self.size, RADIUS)[:, None]
        return ((images.float() - batch.wanted_target()).abs() * (1 + mask.float())).mean()

    def coarse(self, batch: Batch) -> Tensor:
        """The images (B, 3, H, W) of the first stage, about in [-1, 1]."""
        source, _ = batch.single_source()
        images: Tensor = self.integrator(torch.cat([source, discs(batch.target_pose, self.size, RADIUS)], 1))
        return images

    def _both(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The images of both stages; the first one's carry no gradient."""
        with torch.no_grad():
            coarse = self.coarse(batch)
        return coarse, coarse + self.refiner(coarse, batch.single_source()[0])

    def usable_source(self, pose: Pose) -> Tensor:
        """(...) bool: images that show both shoulders and hips, as the training pairs do."""
        return pose.has_torso()

    def usable_target(self, pose: Pose) -> Tensor:
        """(...) bool: as for sources."""
        return pose.has_torso()

    def generate(self, batch: Batch) -> Tensor:
        """Images (B, 3, H, W) in [-1, 1] of the source people in the target poses."""
        _, fine = self._both(batch)
        return fine.clamp(-1, 1)
