"""The method of the Deformable GANs: adversarial and reconstruction loss against a patch discriminator (Sec. 3.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any

import torch
from pydantic import AfterValidator
from torch import Tensor, nn

from augment.conventions import Convention
from augment.data.batch import Batch
from augment.losses import discriminator_adversarial, generator_adversarial, nearest_neighbour
from augment.methods.contract import Needs, Phase, update
from augment.methods.pose_gan.deformable import Deformable
from augment.methods.pose_gan.discriminator import Discriminator
from augment.methods.pose_gan.unet import UNet
from augment.networks.blocks import Start, channels_last, encoder_filters, pose_maps
from augment.networks.features import FEATURES, Layer
from augment.poses import Pose
from reid.common.parameters import Positive, Rate, Share, Size, odd, one_of, options_of_each

GENERATORS: dict[str, type[UNet] | type[Deformable]] = {"unet": UNet, "deformable": Deformable}
SHARED = {"size", "width", "background", "convention", "start"}  # what generator and discriminator are both built with


class PoseGAN:
    """The paper's Baseline (`unet`), DSC and Full (both `deformable`, with other losses), and variants between them.

    An iteration is a step of the discriminator and one of the generator (Eq. 5, 9, 10). As released, it takes three
    independent batches: one as real tuples and one as generated ones for the discriminator, and a third for the
    generator, which so is not judged on the samples that the discriminator has just learnt from.
    """

    def __init__(
        self,
        size: Size,  # (H, W) of the images
        generator: Annotated[str, one_of(GENERATORS)] = "deformable",
        generator_options: dict[str, Any]
        | None = None,  # options of the generator's class; its defaults are those of the paper's Full
        width: Rate = 1.0,  # scales all numbers of filters; 1 is the paper's
        convention: Convention = "released",  # the released code, or the formulas of the text
        start: Start = "glorot",  # the initial weights, as released or torch's: docs/training.md
        background: bool = False,  # whether the target's background is an input (Sec. 3.3)
        background_dropout: Share = 0.0,  # share of samples without it, so that it can be drawn without one too
        features: Annotated[str, one_of(FEATURES)] = "vgg19",  # the feature extractor g of Eq. 7
        layer: Layer = "conv1_2",  # of a VGG; the default is the paper's
        iterations: Positive = 90_000,  # the paper's, at 128x64
        batch_size: Positive = 4,  # 4 at 128x64, 2 at 256x256, as released
        learning_rate: Rate = 2e-4,  # of Adam, for both networks (Sec. 4.3)
        reconstruction_weight: Rate = 0.01,  # lambda of Eq. 10, which fits the scale of the features
        neighbourhood: Annotated[Positive, AfterValidator(odd)] = 3,  # n of Eq. 7: 3 at 128x64, 5 at 256x256
    ):
        shared: dict[str, Any] = {"width": width, "background": background, "convention": convention, "start": start}
        self.size = size
        self.generator = GENERATORS[generator](size, **shared, **(generator_options or {}))
        self.discriminator = Discriminator(size, **shared)
        self.networks: dict[str, nn.Module] = {"generator": self.generator, "discriminator": self.discriminator}
        self.inference: tuple[str, ...] = ("generator",)
        self.needs = Needs(sources=1, background=background, background_optional=background_dropout > 0)
        self.background_dropout = background_dropout
        self.convention, self.neighbourhood = convention, neighbourhood
        self.iterations, self.batch_size, self.learning_rate = iterations, batch_size, learning_rate
        self.reconstruction_weight = reconstruction_weight
        self.feature_names: tuple[str, Layer] = (features, layer)
        self.features: nn.Module = nn.Identity()  # g, which only training needs

    @staticmethod
    def check_options(values: dict[str, Any]) -> None:
        """Raise ValueError where the generator has no such options, or backgrounds are withheld that are not given."""
        if values["background_dropout"] and not values["background"]:
            raise ValueError("background_dropout is for background: true; set it to 0")
        name = values["generator"]
        own = values["generator_options"] or {}
        options_of_each({"generator_options": GENERATORS[name]}, {"generator_options": own}, SHARED)

    @staticmethod
    def check_size(size: tuple[int, int]) -> None:
        """Raise InputError where images of (H, W) cannot be halved as often as the generators do."""
        encoder_filters(size, 1)

    def phases(self, device: torch.device) -> Sequence[Phase]:
        """One phase; loads g, and converts the networks to channels-last, in which convolutions are fastest."""
        name, layer = self.feature_names
        self.features = FEATURES[name](layer).to(device)
        optimisers: dict[str, torch.optim.Optimizer] = {}
        for network, module in self.networks.items():
            channels_last(module)
            optimisers[network] = torch.optim.Adam(module.parameters(), self.learning_rate, (0.5, 0.999), fused=True)
        trains = tuple(self.networks)
        return [Phase("adversarial", self.iterations, self.batch_size, 3, optimisers, trains)]

    def step(self, phase: Phase, iteration: int, batches: Iterator[Batch]) -> dict[str, Tensor]:
        """A step of the discriminator, then one of the generator."""
        real, for_discriminator, for_generator = (self._prepared(next(batches)) for _ in range(3))

        # Discriminator: real tuples against generated ones, which carry no gradient.
        with torch.no_grad():
            fake = self.generator(for_discriminator)
        on_real = self.discriminator(real, real.wanted_target())
        on_fake = self.discriminator(for_discriminator, fake)
        loss_d = discriminator_adversarial(on_real, on_fake).mean()
        update(phase.optimisers["discriminator"], loss_d)

        # Generator: fool the discriminator (Eq. 5) and come close to the target (Eq. 8), summed by Eq. 10.
        self.discriminator.requires_grad_(False)
        fake = self.generator(for_generator)
        adversarial = generator_adversarial(self.discriminator(for_generator, fake), self.convention).mean()
        with torch.no_grad():
            target_features = self.features(for_generator.wanted_target()).float()
        reconstruction = nearest_neighbour(
            self.features(fake).float(), target_features, self.neighbourhood, self.convention
        ).mean()
        loss_g = adversarial + self.reconstruction_weight * reconstruction
        update(phase.optimisers["generator"], loss_g)
        self.discriminator.requires_grad_(True)
        return {
            "discriminator": loss_d,
            "generator": loss_g,
            "adversarial": adversarial,
            "reconstruction": reconstruction,
        }

    def usable_source(self, pose: Pose) -> Tensor:
        """(...) bool: as released, images that show both shoulders and hips, on which all regions' sizes depend."""
        return pose.has_torso()

    def usable_target(self, pose: Pose) -> Tensor:
        """(...) bool: as for sources."""
        return pose.has_torso()

    def generate(self, batch: Batch) -> Tensor:
        """Images (B, 3, H, W) in [-1, 1] of the source people in the target poses."""
        return self.generator(self._with_background(batch, dropout=0.0))

    def _prepared(self, batch: Batch) -> Batch:
        """A batch for training: some backgrounds withheld, heat maps for both networks."""
        return replace(self._with_background(batch), maps=pose_maps(batch, self.size, self.convention))

    def _with_background(self, batch: Batch, dropout: float | None = None) -> Batch:
        """The batch with grey in the place of backgrounds that it lacks, if that may be, and of a share of the others.

        Grey says nothing about what is behind the person.
        """
        if not self.needs.background_optional:
            return batch
        if batch.background is None:
            return replace(batch, background=torch.zeros_like(batch.source[:, 0]))
        share = self.background_dropout if dropout is None else dropout
        if not share:
            return batch
        given = torch.rand(len(batch)).ge(share).to(batch.background)
        return replace(batch, background=batch.background * given[:, None, None, None])
