"""Training a generator against its discriminator (Sec. 3.2, Eq. 5, 9 and 10): one loop, resumable at any moment."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from augment.conventions import Convention
from augment.data.batch import Batch
from augment.data.people import People
from augment.generators import Generator
from augment.losses import discriminator_adversarial, generator_adversarial, nearest_neighbour
from augment.methods.pose_gan.discriminator import Discriminator
from reid.common.checkpoints import Scratch
from reid.common.errors import InputError
from reid.common.progress import progress
from reid.randomness.batches import draw
from reid.randomness.seeds import seed_for

BATCHES = 3  # an iteration draws independent batches: real tuples for D, fakes for D, fakes for G


def train(
    generator: Generator,
    discriminator: Discriminator,
    features: nn.Module,  # g: images (B, 3, H, W) to features (B, C, H', W')
    people: People,
    pairs: Tensor,  # (P, 2) rows of source and target images
    scratch: Scratch,  # where the run's state is kept until the caller removes it
    *,
    iterations: int,  # each one step of D and one of G; 90,000 in the paper
    batch_size: int = 4,  # 4 at 128x64, 2 at 256x256, as released
    learning_rate: float = 2e-4,  # of Adam, for both networks (Sec. 4.3)
    betas: tuple[float, float] = (0.5, 0.999),  # of Adam (Sec. 4.3)
    reconstruction_weight: float = 0.01,  # lambda of Eq. 10
    neighbourhood: int = 3,  # n of Eq. 7: 3 at 128x64, 5 at 256x256
    convention: Convention = "released",  # of Eq. 8: mean or sum over positions
    average: float = 0.0,  # decay of the running average of the generator's weights that is kept; 0 is the paper's
    seed: int = 0,
    log_every: int = 50,
    checkpoint_every: int = 200,
    sample_every: int = 500,
    on_samples: Callable[[Generator, int], None] = lambda averaged, iteration: None,  # draws a sheet
) -> list[dict[str, float]]:
    """Train both networks in place; the generator ends with its averaged weights, in evaluation mode.

    What iteration t does depends on the seed, t and the networks' state alone. A run that is killed and started again
    with the same scratch folder ends with the same weights, bit for bit on a CPU with the same number of threads.

    Returns:
        one row for each `log_every` iterations: iteration, and the mean losses since the row before.

    Raises:
        InputError: there are fewer pairs than one iteration needs.
        FloatingPointError: a loss is not finite.
    """
    if len(pairs) < BATCHES * batch_size:
        raise InputError(f"one iteration needs {BATCHES} x {batch_size} pairs, got {len(pairs)}")
    channels_last(generator)
    channels_last(discriminator)
    optimise_g = torch.optim.Adam(generator.parameters(), learning_rate, betas, fused=True)
    optimise_d = torch.optim.Adam(discriminator.parameters(), learning_rate, betas, fused=True)
    averaged = deepcopy(generator).eval().requires_grad_(False)
    parts: dict[str, Any] = {"generator": generator, "discriminator": discriminator, "averaged": averaged}
    parts |= {"optimise_g": optimise_g, "optimise_d": optimise_d}

    # Resume.
    start, log = 0, list[dict[str, float]]()
    totals = torch.zeros(4, device=people.images.device)
    if (state := scratch.load()) is not None:
        start, log, totals = state["iteration"], state["log"], state["totals"].to(totals.device)
        for name, part in parts.items():
            part.load_state_dict(state[name])

    generator.train()
    for iteration in progress(range(start, iterations), "train", "it", iterations, start):
        # Dropout, the generator's noise z, draws from torch's global stream: a stream of its own each iteration.
        torch.manual_seed(seed_for(seed, "iteration", iteration))
        drawn = pairs[draw(len(pairs), iteration, BATCHES * batch_size, seed)].split(batch_size)
        real, for_d, for_g = (people.batch(rows[:, 0], rows[:, 1]) for rows in drawn)

        # Discriminator: real tuples against generated ones, which carry no gradient.
        with torch.no_grad():
            fake = generator.generate(for_d)
        loss_d = discriminator_adversarial(discriminator(real, _target(real)), discriminator(for_d, fake)).mean()
        optimise_d.zero_grad()
        loss_d.backward()
        optimise_d.step()

        # Generator: fool the discriminator (Eq. 5) and come close to the target (Eq. 8), summed by Eq. 10.
        discriminator.requires_grad_(False)
        fake = generator.generate(for_g)
        adversarial = generator_adversarial(discriminator(for_g, fake)).mean()
        with torch.no_grad():
            wanted = features(_target(for_g))
        reconstruction = nearest_neighbour(features(fake), wanted, neighbourhood, convention).mean()
        loss_g = adversarial + reconstruction_weight * reconstruction
        optimise_g.zero_grad()
        loss_g.backward()
        optimise_g.step()
        discriminator.requires_grad_(True)
        with torch.no_grad():
            torch._foreach_lerp_(list(averaged.parameters()), list(generator.parameters()), 1 - average)

        # Log, draw samples, save the state.
        totals += torch.stack([loss_d, loss_g, adversarial, reconstruction]).detach()
        done = iteration + 1
        if done % log_every == 0 or done == iterations:
            since = done - (int(log[-1]["iteration"]) if log else 0)
            log.append(_row(done, totals / since))
            totals.zero_()
        if done % sample_every == 0 or done == iterations:
            on_samples(averaged, done)
        if done % checkpoint_every == 0 or done == iterations:
            state = {name: part.state_dict() for name, part in parts.items()}
            scratch.save({"iteration": done, "log": log, "totals": totals, **state})
    generator.load_state_dict(averaged.state_dict())
    generator.eval()
    return log


def channels_last(network: nn.Module) -> None:
    """Channels-last weights, which convolutions and the warp's row gathers run fastest in.

    Transposed convolutions keep theirs contiguous: theirs would be laid out anew in each step.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)


def _target(batch: Batch) -> Tensor:
    if batch.target is None:
        raise InputError("training needs batches with real target images")
    return batch.target


def _row(iteration: int, means: Tensor) -> dict[str, float]:
    row = dict(zip(("discriminator", "generator", "adversarial", "reconstruction"), means.tolist(), strict=True))
    if not all(map(math.isfinite, row.values())):
        raise FloatingPointError(f"losses are not finite at iteration {iteration}: {row}; lower the learning rate")
    return {"iteration": iteration, **row}
