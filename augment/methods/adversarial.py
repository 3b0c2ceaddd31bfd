"""Methods whose generator learns against a patch discriminator and to come close to the target (Eq. 5, 8, 10)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from augment.conventions import Convention
from augment.data.batch import Batch
from augment.losses import discriminator_adversarial, generator_adversarial, nearest_neighbour
from augment.methods.contract import Needs, Phase, update
from augment.networks.blocks import channels_last, encoder_filters, pose_maps
from augment.networks.discriminator import Discriminator
from augment.networks.features import FEATURES, Layer
from augment.poses import Pose
from reid.common.parameters import options_of_each

SHARED = {"size", "width", "background", "convention", "start"}  # what generator and discriminator are both built with
TRAINED = ("generator", "discriminator")


def check_generator_options(values: dict[str, Any], generator: Callable[..., nn.Module]) -> None:
    """Raise ValueError where a generator has no such options, or backgrounds are withheld that are not given."""
    if values["background_dropout"] and not values["background"]:
        raise ValueError("background_dropout is for background: true; set it to 0")
    own = values["generator_options"] or {}
    options_of_each({"generator_options": generator}, {"generator_options": own}, SHARED)


class Adversarial:
    """The base of such methods: networks, losses and steps.

    An iteration is a step of the discriminator and one of the generator (Eq. 5, 9, 10). As released, it takes three
    independent batches: one as real tuples and one as generated ones for the discriminator, and a third for the
    generator, which so is not judged on the samples that the discriminator has just learnt from.

    The discriminator sees one source at a time, with the image. Of several sources its losses are averaged as released,
    in the text summed (Eq. 7 of the paper on several sources). Equations are otherwise those of Deformable GANs.

    Args:
        size: (H, W) of the images.
        generator: from a batch to images.
        sources: M of the batches.
        shared: options that the discriminator is built with too: width, background, convention, start.
        background_dropout: share of samples without a background, so that it can be drawn without one too.
        features: feature extractor g of Eq. 7, and layer of it.
        iterations: of each phase, by its name.
        batch_size: samples.
        learning_rate: of Adam, for both networks.
        reconstruction_weight: lambda of Eq. 10.
        neighbourhood: n of Eq. 7.
    """

    def __init__(
        self,
        size: tuple[int, int],
        generator: nn.Module,
        *,
        sources: int,
        shared: dict[str, Any],
        background_dropout: float,
        features: tuple[str, Layer],
        iterations: dict[str, int],
        batch_size: int,
        learning_rate: float,
        reconstruction_weight: float,
        neighbourhood: int,
    ):
        self.size = size
        self.generator, self.discriminator = generator, Discriminator(size, **shared)
        self.networks: dict[str, nn.Module] = {"generator": self.generator, "discriminator": self.discriminator}
        self.inference: tuple[str, ...] = ("generator",)
        background = shared["background"]
        self.needs = Needs(sources=sources, background=background, background_optional=background_dropout > 0)
        self.background_dropout = background_dropout
        self.convention: Convention = shared["convention"]
        self.neighbourhood, self.reconstruction_weight = neighbourhood, reconstruction_weight
        self.iterations, self.batch_size, self.learning_rate = iterations, batch_size, learning_rate
        self.feature_names = features
        self.features: nn.Module = nn.Identity()  # g, which only training needs

    @staticmethod
    def check_size(size: tuple[int, int]) -> None:
        """Raise InputError where images of (H, W) cannot be halved as often as the generators do."""
        encoder_filters(size, 1)

    def phases(self, device: torch.device) -> Sequence[Phase]:
        """The phases; loads g, and converts the networks to channels-last, in which convolutions are fastest."""
        name, layer = self.feature_names
        self.features = FEATURES[name](layer).to(device)
        for module in self.networks.values():
            channels_last(module)
        optimisers: dict[str, torch.optim.Optimizer] = {
            name: torch.optim.Adam(self.networks[name].parameters(), self.learning_rate, (0.5, 0.999), fused=True)
            for name in TRAINED
        }
        return [
            Phase(phase, iterations, self.batch_size, 3, optimisers, TRAINED)
            for phase, iterations in self.iterations.items()
        ]

    def step(self, phase: Phase, iteration: int, batches: Iterator[Batch]) -> dict[str, Tensor]:
        """A step of the discriminator, then one of the generator."""
        sources = self.sources_in(phase)
        real, for_discriminator, for_generator = (self._prepared(next(batches), sources) for _ in range(3))

        loss_d = self._discriminator_step(phase, real, for_discriminator)

        # Generator: fool the discriminator (Eq. 5) and come close to the target (Eq. 8), summed by Eq. 10.
        self.discriminator.requires_grad_(False)
        fake = self.generator(for_generator)
        adversarial = self._adversarial(for_generator, fake)
        reconstruction = self._reconstruction(for_generator, fake)
        loss_g = adversarial + self.reconstruction_weight * reconstruction
        update(phase.optimisers["generator"], loss_g)
        self.discriminator.requires_grad_(True)
        return {
            "discriminator": loss_d,
            "generator": loss_g,
            "adversarial": adversarial,
            "reconstruction": reconstruction,
        }

    def _discriminator_step(self, phase: Phase, real: Batch, generated: Batch) -> Tensor:
        """A step of the discriminator: real tuples against generated ones, which carry no gradient (Eq. 5)."""
        with torch.no_grad():
            fake = self.generator(generated)
        on_real = discriminator_adversarial(self._judged(real, real.wanted_target()), real=True)
        on_fake = discriminator_adversarial(self._judged(generated, fake), real=False)
        loss = self._over_sources(on_real, real) + self._over_sources(on_fake, generated)
        update(phase.optimisers["discriminator"], loss)
        return loss

    def _adversarial(self, batch: Batch, fake: Tensor) -> Tensor:
        """The generator's adversarial loss of what it drew of a batch (Eq. 5)."""
        return self._over_sources(generator_adversarial(self._judged(batch, fake), self.convention), batch)

    def _reconstruction(self, batch: Batch, fake: Tensor) -> Tensor:
        """How far what was drawn of a batch is from the target images (Eq. 8)."""
        with torch.no_grad():
            wanted = self.features(batch.wanted_target()).float()
        drawn = self.features(fake).float()
        return nearest_neighbour(drawn, wanted, self.neighbourhood, self.convention).mean()

    def sources_in(self, phase: Phase) -> int:
        """With how many sources an iteration of a phase works, at most; all, unless a method says otherwise."""
        return self.needs.sources

    def usable_source(self, pose: Pose) -> Tensor:
        """(...) bool: as released, images that show both shoulders and hips, on which all regions' sizes depend."""
        return pose.has_torso()

    def usable_target(self, pose: Pose) -> Tensor:
        """(...) bool: as for sources."""
        return pose.has_torso()

    def generate(self, batch: Batch) -> Tensor:
        """Images (B, 3, H, W) in [-1, 1] of the source people in the target poses."""
        images: Tensor = self.generator(self._with_background(batch, dropout=0.0))
        return images

    def _judged(self, batch: Batch, images: Tensor) -> Tensor:
        """Probabilities (V, patches) that images (B, 3, H, W) are real, one line for each valid source."""
        single, whose = batch.by_source()
        judged: Tensor = self.discriminator(single, images if single is batch else images[whose])
        return judged

    def _over_sources(self, losses: Tensor, batch: Batch) -> Tensor:
        """The mean over samples of losses (V,) of each valid source: their mean as released, in the text their sum."""
        single, whose = batch.by_source()
        if single is batch:
            return losses.mean()
        if self.convention == "paper":
            return losses.sum() / len(batch)
        return (losses / whose.bincount(minlength=len(batch))[whose]).sum() / len(batch)

    def _prepared(self, batch: Batch, sources: int) -> Batch:
        """A batch for training: some backgrounds withheld, so many sources, each apart too, with heat maps."""
        batch = self._with_background(batch.first_sources(sources))
        single, whose = batch.by_source()
        maps = pose_maps(single, self.size, self.convention)
        if single is batch:
            return replace(batch, maps=maps)
        return replace(batch, single=(replace(single, maps=maps), whose))

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
