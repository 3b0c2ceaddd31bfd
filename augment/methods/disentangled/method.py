"""The method of DPIG: foreground, background and pose of a person, each encoded from an image or made of noise.

Stage I learns to compose an image of its own three factors, and poses of vectors, from neither pairs of images nor
identities. Stage II learns to make each factor's embeddings of noise, against what the encoders of stage I, trained by
then and fixed, give of real images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from augment.conventions import ReleasedOrPaper
from augment.data.batch import Batch
from augment.data.flips import draw_flips, flipped, mirrored
from augment.data.people import People
from augment.data.tuples import Tuples
from augment.losses import logistic
from augment.methods.contract import Needs, Phase, update
from augment.methods.disentangled.appearance import (
    BACKGROUND_CODE,
    FOREGROUND_CODE,
    LEVELS,
    Appearance,
    AppearanceEncoder,
    Body,
    Composer,
)
from augment.methods.disentangled.vectors import (
    POSE_CODE,
    Critic,
    Mapping,
    PoseDecoder,
    initialise_critic,
    pose_vectors,
    poses_of,
)
from augment.networks.blocks import Start, channels_last, initialise, scaled
from augment.networks.dcgan import DCGANDiscriminator
from augment.networks.residual_unet import WIDTH, coarsest
from augment.poses import Pose
from augment.poses.pose import JOINTS
from reid.common.errors import InputError
from reid.common.parameters import Count, Positive, Rate, Share, Size
from reid.common.progress import progress

Factor = Literal["foreground", "background", "pose"]
CODES: dict[Factor, int] = {"foreground": FOREGROUND_CODE, "background": BACKGROUND_CODE, "pose": POSE_CODE}
HIDDEN: dict[Factor, int] = {"foreground": 512, "background": 256, "pose": 512}  # units of the mappings, as released
DEVIATION: dict[ReleasedOrPaper, float] = {"released": 0.2, "paper": 1.0}  # of the noise
CRITIC_STEPS = 5  # for each step of a mapping
CLIP = 0.01  # bound of a critic's weights
POSE_WEIGHT = 20.0  # of the mean squared error of pose vectors
AT_ONCE = 32  # images that are embedded at once


class Disentangled:
    """Five phases: images, poses, and the mappings from noise to the embeddings of each factor.

    Without the iterations of the last three the method redraws people, and invents none.
    """

    def __init__(
        self,
        size: Size,  # (H, W) of the images
        width: Rate = 1.0,  # scales the filters of all convolutions; 1 is the paper's
        convention: ReleasedOrPaper = "released",  # the released code, or the formulas of the text
        body: Body = "regions",  # foregrounds are encoded from seven of them, or from the whole (WholeBody)
        backgrounds: bool = True,  # whether what is behind is a factor; not for DeepFashion, whose walls are plain
        start: Start = "glorot",  # the initial weights, as released or torch's
        vector_start: Start = "glorot",  # of networks of vectors: as released (He's of critics), or torch's
        iterations: Positive = 70_000,  # of composing images (supplement, as the next ones)
        batch_size: Positive = 16,
        pose_iterations: Count = 30_000,  # of the pose auto-encoder
        pose_batch_size: Positive = 64,
        mapping_iterations: Count = 30_000,  # of the mapping to foregrounds, and of that to backgrounds
        pose_mapping_iterations: Count = 60_000,  # of the mapping to poses
        mapping_batch_size: Positive = 32,
        learning_rate: Rate = 2e-5,  # of the image phase, halved after each `halve_every` iterations
        vector_learning_rate: Rate = 2e-5,  # of the other phases, halved likewise
        halve_every: Positive = 50_000,
        flip: Share = 0.5,  # probability of mirroring an image and its pose
        reconstruction_weight: Rate = 20.0,  # lambda of Eq. 2, for which the text has no number
    ):
        self.size, self.needs, self.convention = size, Needs(), convention
        self.learning_rate, self.vector_learning_rate = learning_rate, vector_learning_rate
        self.halve_every, self.flip, self.reconstruction_weight = halve_every, flip, reconstruction_weight
        (filters,) = scaled((WIDTH,), width)
        self.encoder = AppearanceEncoder(size, filters, convention, body, backgrounds)
        self.composer = Composer(size, filters, backgrounds)
        self.discriminator = DCGANDiscriminator(size, width)
        self.pose_encoder = Mapping(3 * len(JOINTS), POSE_CODE, convention=convention)
        self.pose_decoder = PoseDecoder(convention=convention)
        self.codes = {name: code for name, code in CODES.items() if backgrounds or name != "background"}
        self.mappings = {name: Mapping(code, code, HIDDEN[name], convention) for name, code in self.codes.items()}
        self.critics = {name: Critic(code, convention=convention) for name, code in self.codes.items()}
        generating: dict[str, nn.Module] = {
            "encoder": self.encoder,
            "composer": self.composer,
            "pose encoder": self.pose_encoder,
            "pose decoder": self.pose_decoder,
            **{f"{name} mapping": mapping for name, mapping in self.mappings.items()},
        }
        self.inference = tuple(generating)
        self.networks: dict[str, nn.Module] = {
            **generating,
            "discriminator": self.discriminator,
            **{f"{name} critic": critic for name, critic in self.critics.items()},
        }
        # (2, N, K) in a phase of mapping: embeddings of the training images, and of their mirror images.
        self.real: Tensor | None = None
        for network in (self.encoder, self.composer):
            initialise(network, start)
        for vectors in (self.pose_encoder, self.pose_decoder, *self.mappings.values(), *self.critics.values()):
            initialise(vectors, vector_start)
        if vector_start == "glorot":
            for critic in self.critics.values():
                initialise_critic(critic)
        self.lengths = {
            "image": (iterations, batch_size),
            "pose": (pose_iterations, pose_batch_size),
            "foreground mapping": (mapping_iterations, mapping_batch_size),
            "background mapping": (mapping_iterations * backgrounds, mapping_batch_size),
            "pose mapping": (pose_mapping_iterations, mapping_batch_size),
        }

    @staticmethod
    def check_size(size: tuple[int, int]) -> None:
        """Raise InputError where images of (H, W) cannot be halved as often as the U-Net does."""
        coarsest(size, LEVELS)

    def phases(self, device: torch.device) -> Sequence[Phase]:
        """The phases that have iterations, in order."""
        for module in self.networks.values():
            channels_last(module)
        trained = {
            "image": {"composer": ["encoder", "composer"], "discriminator": ["discriminator"]},
            "pose": {"auto-encoder": ["pose encoder", "pose decoder"]},
            **{
                f"{name} mapping": {"mapping": [f"{name} mapping"], "critic": [f"{name} critic"]} for name in self.codes
            },
        }
        phases = []
        for name, (iterations, batch_size) in self.lengths.items():
            if not iterations:
                continue
            optimisers = {key: self._optimiser(names, name) for key, names in trained[name].items()}
            batches = {"image": 2, "pose": 1}.get(name, CRITIC_STEPS)
            trains = tuple(network for names in trained[name].values() for network in names)
            image = name == "image"  # the other phases change no redrawn person, and take poses and embeddings alone
            phases.append(Phase(name, iterations, batch_size, batches, optimisers, trains, draws=image, pixels=image))
        return phases

    def _optimiser(self, names: list[str], phase: str) -> torch.optim.Optimizer:
        """Adam; of mappings and critics RMSProp as released, the text says Adam."""
        parameters = [parameter for name in names for parameter in self.networks[name].parameters()]
        if phase.endswith(" mapping") and self.convention != "paper":
            return torch.optim.RMSprop(parameters, self._rate(phase), alpha=0.9, eps=1e-10)
        return torch.optim.Adam(parameters, self._rate(phase), (0.5, 0.999), fused=True)

    def _rate(self, phase: str) -> float:
        return self.learning_rate if phase == "image" else self.vector_learning_rate

    def begin(self, phase: Phase, people: People) -> None:
        """Before a phase of mapping, embed all training images once: its encoder changes no more."""
        self.real = None
        if not phase.name.endswith(" mapping"):
            return
        if _factor(phase) == "pose" and not self.pose_encoder.taught:
            raise InputError(
                "pose_mapping_iterations: poses would be embedded by untrained weights; `initial` has none that are "
                "trained either: set pose_iterations above 0"
            )
        found = []
        parts = torch.arange(len(people)).split(AT_ONCE)
        for rows in progress(parts, f"embed for {phase.name}", "batch", len(parts)):
            batch = people.batch(Tuples.of_pairs(rows, rows), with_target=False)
            both = (batch, mirrored(batch, self.size[1])) if self.flip else (batch,)
            found.append(torch.stack([self.embeddings(_factor(phase), *side.single_source()) for side in both]))
        self.real = torch.cat(found, 1)

    def step(self, phase: Phase, iteration: int, batches: Iterator[Batch]) -> dict[str, Tensor]:
        """An iteration of a phase."""
        for optimiser in phase.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = self._rate(phase.name) * 0.5 ** (iteration // self.halve_every)
        if phase.name == "image":
            return self._image_step(phase, self._flipped(next(batches)), self._flipped(next(batches)))
        with torch.autocast(next(self.pose_encoder.parameters()).device.type, enabled=False):
            if phase.name == "pose":
                return self._pose_step(phase, self._flipped(next(batches)))
            return self._mapping_step(phase, _factor(phase), [next(batches) for _ in range(CRITIC_STEPS)])

    def _image_step(self, phase: Phase, first: Batch, second: Batch) -> dict[str, Tensor]:
        """A step of the discriminator, then one of encoder and composer, each with its own images (Eq. 1 and 2)."""
        images, poses = first.single_source()
        with torch.no_grad():
            fake = self.composer(self.encoder(images, poses), poses)
        on_real, on_fake = self.discriminator(images), self.discriminator(fake)
        loss_d = 0.5 * (logistic(on_real, real=True).mean() + logistic(on_fake, real=False).mean())
        update(phase.optimisers["discriminator"], loss_d)

        self.discriminator.requires_grad_(False)
        images, poses = second.single_source()
        fake = self.composer(self.encoder(images, poses), poses)
        adversarial = logistic(self.discriminator(fake), real=True).mean()
        reconstruction = (fake.float() - images).abs().mean()
        loss_g = adversarial + self.reconstruction_weight * reconstruction
        update(phase.optimisers["composer"], loss_g)
        self.discriminator.requires_grad_(True)
        return {"discriminator": loss_d, "adversarial": adversarial, "reconstruction": reconstruction}

    def _flipped(self, batch: Batch) -> Batch:
        """The batch with some of the samples mirrored."""
        return flipped(batch, self.flip, self.size[1])

    def _pose_step(self, phase: Phase, batch: Batch) -> dict[str, Tensor]:
        """A step of the pose auto-encoder (Eq. 3)."""
        vectors = pose_vectors(batch.single_source()[1], self.size)
        decoded = self.pose_decoder(self.pose_encoder(vectors.flatten(1)))
        loss = POSE_WEIGHT * F.mse_loss(decoded, vectors)
        update(phase.optimisers["auto-encoder"], loss)
        self.pose_encoder.taught.fill_(True)
        return {"reconstruction": loss}

    def _mapping_step(self, phase: Phase, factor: Factor, batches: list[Batch]) -> dict[str, Tensor]:
        """Steps of a factor's critic, whose weights are then clipped, and one of its mapping (Eq. 4 and 5)."""
        mapping, critic, embedded = self.mappings[factor], self.critics[factor], self.real
        if embedded is None:
            raise RuntimeError(
                f"phase {phase.name} has not begun: what the training images are embedded as is not known"
            )
        distance = torch.zeros(())
        reals = [embedded[draw_flips(batch, self.flip).long(), batch.source_rows()] for batch in batches]
        for real in reals:
            with torch.no_grad():
                fake = mapping(self.noise(factor, len(real), real.device))
            distance = critic(real).mean() - critic(fake).mean()
            update(phase.optimisers["critic"], -distance)
            with torch.no_grad():
                for weight in critic.parameters():
                    weight.clamp_(-CLIP, CLIP)
        critic.requires_grad_(False)
        loss = -critic(mapping(self.noise(factor, phase.batch_size, distance.device))).mean()
        update(phase.optimisers["mapping"], loss)
        mapping.taught.fill_(True)
        critic.requires_grad_(True)
        return {"distance": distance, "mapping": loss}

    def usable_source(self, pose: Pose) -> Tensor:
        """(...) bool: images that show both shoulders and hips, as those that it is trained on do."""
        return pose.has_torso()

    def usable_target(self, pose: Pose) -> Tensor:
        """(...) bool: as for sources."""
        return pose.has_torso()

    def generate(self, batch: Batch) -> Tensor:
        """Images (B, 3, H, W) in [-1, 1] of the source people in the target poses, before the sources' backgrounds."""
        return self.compose(self.encode(*batch.single_source()), batch.target_pose)

    def encode(self, images: Tensor, poses: Pose) -> Appearance:
        """The foreground and background embeddings of images (B, 3, H, W) in [-1, 1] of people in poses (B, 18)."""
        appearance: Appearance = self.encoder(images, poses)
        return appearance

    def encode_pose(self, poses: Pose) -> Tensor:
        """Embeddings (B, 32) of poses (B, 18)."""
        codes: Tensor = self.pose_encoder(pose_vectors(poses, self.size).flatten(1))
        return codes

    @torch.no_grad()
    def embeddings(self, factor: Factor, images: Tensor, poses: Pose) -> Tensor:
        """One factor's embeddings (B, K) of real images (B, 3, H, W) of people in poses (B, 18), without gradients."""
        if factor == "pose":
            return self.encode_pose(poses)
        codes: Tensor = getattr(self.encoder, factor)(images, poses)
        return codes

    def compose(self, appearance: Appearance, poses: Pose) -> Tensor:
        """Images (B, 3, H, W) in [-1, 1] of appearances in poses (B, 18)."""
        images: Tensor = self.composer(appearance, poses)
        return images.clamp(-1, 1)

    def sample(self, poses: Pose) -> Tensor:
        """Images (B, 3, H, W) of one person who does not exist in poses (B, 18), each before a background of its own.

        The noise comes from torch's global random stream.
        """
        count, device = len(poses), poses.joints.device
        foreground = self.from_noise("foreground", self.noise("foreground", 1, device)).expand(count, -1)
        background = self.from_noise("background", self.noise("background", count, device))
        return self.compose(Appearance(foreground, background), poses)

    def noise(self, factor: Factor, count: int, device: torch.device | str = "cpu") -> Tensor:
        """Noise (count, K) that a factor's mapping takes, from torch's global random stream; K = 0 of no factor."""
        return DEVIATION[self.convention] * torch.randn(count, self.codes.get(factor, 0)).to(device)

    def from_noise(self, factor: Factor, noise: Tensor) -> Tensor:
        """A factor's embeddings (B, K) of noise (B, K)."""
        if factor not in self.mappings:
            return noise
        codes: Tensor = self.mappings[factor](noise)
        return codes

    def untaught(self, factor: Factor) -> str | None:
        """The phase that it lacks to make a factor of noise; None where it has learnt to, or has no such factor."""
        needed = {f"{factor} mapping": self.mappings[factor]} if factor in self.codes else {}
        needed |= {"pose": self.pose_encoder} if factor == "pose" else {}
        return next((phase for phase, network in needed.items() if not network.taught), None)

    def decode_pose(self, codes: Tensor) -> Pose:
        """The poses (B, 18) of embeddings (B, 32), in pixels of the images.

        Joints that are outside are moved to the nearest pixel, as released.
        """
        pose = self.decode_anywhere(codes)
        last = torch.tensor([self.size[1] - 1.0, self.size[0] - 1.0], device=codes.device)
        return Pose(pose.joints.clamp(min=0).minimum(last), pose.visible)

    def decode_anywhere(self, codes: Tensor) -> Pose:
        """As `decode_pose`, with joints outside the images where they are."""
        return poses_of(self.pose_decoder(codes), self.size)


def _factor(phase: Phase) -> Factor:
    """The factor of a phase of mapping."""
    return phase.name.removesuffix(" mapping")  # type: ignore[return-value]
