"""The method: a generator that a Re-ID network guides, in its own people's poses and in foreign ones.

In the manner of Liu et al. (CVPR 2018), of whose method this is known: a U-Net against a discriminator, a guider that
punishes images in which the person is not recognised, the three trained in turn, and poses of another data set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any, NamedTuple

import torch
from pydantic import AfterValidator
from torch import Tensor

from augment.conventions import Convention
from augment.data.batch import Batch
from augment.data.people import People
from augment.methods.adversarial import Adversarial, check_generator_options
from augment.methods.contract import Phase, update
from augment.methods.guided.guider import Guider
from augment.methods.pose_gan.method import GENERATORS
from augment.networks.blocks import Start
from augment.networks.features import FEATURES, Layer
from augment.poses import Pose
from reid.common.errors import InputError
from reid.common.parameters import Count, NotNegative, Positive, Rate, Share, Size, odd, one_of, options_of_each
from reid.files.images import to_float
from reid.networks.ide import IDE

ALONE, JOINT = "guider", "guided"  # the phases
MOMENTUM, DECAY, FLIP = 0.9, 5e-4, 0.5  # of the guider's training, as of IDE's; FLIP: probability of mirroring an image
NOT_OPTIONS = {"classes", "pretrained"}  # arguments of IDE that come from elsewhere
FOREIGN = 0.5  # share of the discriminator's generated images in foreign poses: the same as of the generator's


class Foreign(NamedTuple):
    """P poses in which people are drawn who were not seen so; those of training images have owners."""

    poses: Pose  # (P,)
    owners: Tensor | None = None  # (P,) identities
    backgrounds: Tensor | None = None  # (P, 3, H, W) uint8, where the data set has them


class Guided(Adversarial):
    """A generator of the Deformable GANs that also minimises the loss of a Re-ID network on what it draws.

    First the guider, which starts from ImageNet's weights, learns alone. Then each iteration is a step of the
    generator, one of the guider and one of the discriminator. The generator draws two batches: pairs of a person's
    images, close to the target as in Eq. 10, and people in foreign poses, of which there is no target: these enter the
    adversarial loss and the guider's alone. Foreign poses are those of the pose bank (`People.bank`), or without one
    those of training images of other people.

    Sizes, weights and schedule are ours; the defaults of generator and discriminator are those of the Baseline.
    """

    def __init__(
        self,
        size: Size,  # (H, W) of the images
        generator: Annotated[str, one_of(GENERATORS)] = "unet",  # the paper's is a U-Net
        generator_options: dict[str, Any] | None = None,  # options of the generator's class
        width: Rate = 1.0,  # scales all numbers of filters of generator and discriminator
        convention: Convention = "released",  # of the Deformable GANs
        start: Start = "glorot",  # the initial weights of generator and discriminator
        background: bool = False,  # whether the target's background is an input
        background_dropout: Share = 0.0,  # share of samples without it, so that it can be drawn without one too
        features: Annotated[str, one_of(FEATURES)] = "pixels",  # of the reconstruction; pixels with n = 1: L1
        layer: Layer = "conv1_2",  # of a VGG
        people: Positive = 751,  # most training people that the guider can tell apart; Market-1501's
        guider_options: dict[str, Any] | None = None,  # options of the guider, `reid.networks.ide.IDE`
        guider_iterations: Count = 2_000,  # in which the guider learns alone, so that it guides from something
        guider_batch_size: Positive = 16,  # pairs in these, of which it learns from both images
        guider_rate: Rate = 0.001,  # learning rate of the guider's SGD while it learns alone
        classifier_rate: Rate = 1.0,  # that of its classifier, as a multiple
        guider_weight: NotNegative = 1.0,  # of the guider's loss in the generator's
        iterations: Positive = 90_000,  # of all three networks
        batch_size: Positive = 4,
        learning_rate: Rate = 2e-4,  # of Adam, for generator and discriminator
        reconstruction_weight: Rate = 33.333,  # 100 x the mean absolute difference, as the Baseline's
        neighbourhood: Annotated[Positive, AfterValidator(odd)] = 1,  # n of Eq. 7
    ):
        shared: dict[str, Any] = {"width": width, "background": background, "convention": convention, "start": start}
        super().__init__(
            size,
            GENERATORS[generator](size, **shared, **(generator_options or {})),
            sources=1,
            shared=shared,
            background_dropout=background_dropout,
            features=(features, layer),
            iterations={JOINT: iterations},
            batch_size=batch_size,
            learning_rate=learning_rate,
            reconstruction_weight=reconstruction_weight,
            neighbourhood=neighbourhood,
        )
        self.people = people
        self.guider = Guider(people, **(guider_options or {}))
        self.networks["guider"] = self.guider
        self.guider_iterations, self.guider_batch_size = guider_iterations, guider_batch_size
        self.guider_rate, self.classifier_rate, self.guider_weight = guider_rate, classifier_rate, guider_weight
        # Of the training images, from `begin` on: sorted identities (K,), and foreign poses.
        self.identities = torch.empty(0, dtype=torch.int64)
        self.foreign: Foreign | None = None

    @staticmethod
    def check_options(values: dict[str, Any]) -> None:
        """Raise ValueError where generator or guider have no such options, or absent backgrounds are withheld."""
        check_generator_options(values, GENERATORS[values["generator"]])
        options_of_each({"guider_options": IDE}, {"guider_options": values["guider_options"] or {}}, NOT_OPTIONS)

    def phases(self, device: torch.device) -> Sequence[Phase]:
        """The guider alone, if it has iterations of its own; then all three, its rate lower as its batches are."""
        (joint,) = super().phases(device)
        self.guider.start()
        rate = self.guider_rate * self.batch_size / self.guider_batch_size
        own = joint.optimisers | {"guider": self._guider_optimiser(rate)}
        joint = replace(joint, batches=4, optimisers=own, trains=(*joint.trains, "guider"))
        own = {"guider": self._guider_optimiser(self.guider_rate)}
        alone = Phase(ALONE, self.guider_iterations, self.guider_batch_size, 1, own, ("guider",), draws=False)
        return [alone, joint] if self.guider_iterations else [joint]

    def _guider_optimiser(self, rate: float) -> torch.optim.Optimizer:
        """SGD as IDE's, with a learning rate for the backbone; but the classifier's bias learns as its weights do."""
        groups: list[dict[str, Any]] = [
            {"params": list(self.guider.backbone.parameters())},
            {"params": list(self.guider.classifier.parameters()), "lr": self.classifier_rate * rate},
        ]
        return torch.optim.SGD(groups, rate, MOMENTUM, weight_decay=DECAY)

    def begin(self, phase: Phase, people: People) -> None:
        """Find the identities that the guider tells apart, and the foreign poses.

        Raises:
            InputError: it is not known whom the images show, there are more people than the guider has classes, or
                there are no foreign poses.
        """
        if people.identities is None:
            raise InputError(
                "the guider tells people apart, and it is not known whom the images show: give their identities"
            )
        self.identities = people.identities.unique()
        if (count := len(self.identities)) > self.people:
            raise InputError(
                f"the guider tells {self.people} people apart, there are {count}: set options.people: {count}"
            )
        if people.bank is not None:
            self.foreign = Foreign(people.bank)
            return
        usable = self.usable_target(people.poses)
        owners = people.identities[usable]
        if len(owners.unique()) < 2:
            raise InputError("foreign poses are those of other people, and there are none: give a pose bank, `poses`")
        behind = None if people.backgrounds is None else people.backgrounds[usable]
        self.foreign = Foreign(people.poses[usable], owners, behind)

    def step(self, phase: Phase, iteration: int, batches: Iterator[Batch]) -> dict[str, Tensor]:
        """A step of the guider alone; or one of the generator, one of the guider and one of the discriminator."""
        if phase.name == ALONE:
            return {"guider": self._guider_step(phase, next(batches))}
        real, generated, pairs, others = (next(batches) for _ in range(4))
        foreign = self._in_foreign_poses(others, torch.ones(len(others), dtype=torch.bool))
        losses = self._generator_step(phase, self._prepared(pairs, 1), self._prepared(foreign, 1))
        losses["guider"] = self._guider_step(phase, real)
        mixed = self._in_foreign_poses(generated, torch.rand(len(generated)) < FOREIGN)
        losses["discriminator"] = self._discriminator_step(phase, self._prepared(real, 1), self._prepared(mixed, 1))
        return losses

    def _generator_step(self, phase: Phase, pairs: Batch, foreign: Batch) -> dict[str, Tensor]:
        """A step of the generator against discriminator and guider; only pairs have a target to come close to."""
        self.discriminator.requires_grad_(False)
        self.guider.requires_grad_(False).eval()
        own, other = self.generator(pairs), self.generator(foreign)
        adversarial = (self._adversarial(pairs, own) + self._adversarial(foreign, other)) / 2
        labels = torch.cat([self.classes(pairs), self.classes(foreign)])
        guidance = self.guider.loss(torch.cat([own, other]).float(), labels).mean()
        reconstruction = self._reconstruction(pairs, own)
        loss = adversarial + self.reconstruction_weight * reconstruction + self.guider_weight * guidance
        update(phase.optimisers["generator"], loss)
        self.discriminator.requires_grad_(True)
        self.guider.requires_grad_(True).train()
        return {
            "generator": loss,
            "adversarial": adversarial,
            "guidance": guidance,
            "reconstruction": reconstruction,
        }

    def _guider_step(self, phase: Phase, batch: Batch) -> Tensor:
        """A step of the guider on both real images of each pair, some of them mirrored."""
        images = torch.cat([batch.single_source()[0], batch.wanted_target()])
        mirrored = torch.rand(len(images)).lt(FLIP).to(images.device)
        images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
        loss = self.guider.loss(images, self.classes(batch).repeat(2)).mean()
        update(phase.optimisers["guider"], loss)
        return loss

    def classes(self, batch: Batch) -> Tensor:
        """The guider's classes (B,) of a batch's people, who are training people; known from `begin` on."""
        if batch.identity is None:
            raise InputError(
                "the guider takes batches of training people, and it is not known whom these show: give identities"
            )
        return torch.searchsorted(self.identities, batch.identity)

    def _in_foreign_poses(self, batch: Batch, which: Tensor) -> Batch:
        """The batch with foreign poses, drawn at random, as the targets of some samples (B,) bool; no target images."""
        if self.foreign is None or batch.identity is None:
            raise RuntimeError("the training has not begun: what poses are foreign is not known")
        poses, owners, backgrounds = self.foreign
        if owners is None:
            rows = torch.randint(len(poses), (len(batch),)).to(poses.joints.device)
        else:
            rows = torch.multinomial((owners[None] != batch.identity[:, None]).float(), 1)[:, 0]
        drawn, own, which = poses[rows], batch.target_pose, which.to(rows.device)
        joints = torch.where(which[:, None, None], drawn.joints, own.joints)
        pose = Pose(joints, torch.where(which[:, None], drawn.visible, own.visible))
        background = batch.background
        if backgrounds is not None and background is not None:
            background = torch.where(which[:, None, None, None], to_float(backgrounds[rows]), background)
        return replace(batch, target_pose=pose, background=background, target=None)
