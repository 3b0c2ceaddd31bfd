"""Training a method: one loop, resumable at any moment. It owns time and the method owns everything else."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from augment.data.batch import Batch
from augment.data.people import People
from augment.data.tuples import with_further_sources
from augment.methods.contract import Method, Phase
from reid.common.checkpoints import Scratch
from reid.common.errors import InputError
from reid.common.parameters import Positive
from reid.common.progress import progress
from reid.randomness.batches import draw
from reid.randomness.seeds import seed_for

Precision = Literal["float32", "bfloat16", "auto"]


def precision_of(precision: Precision, device: torch.device) -> Precision:
    """The precision; for `auto` bfloat16 where the processor has instructions for it, float32 elsewhere."""
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    return "bfloat16" if torch.cpu._is_avx512_bf16_supported() else "float32"


def train(
    method: Method,
    people: People,
    pairs: Tensor,  # (P, 2) indices of source and target images among the people
    scratch: Scratch,  # where the run's state is kept until the caller removes it
    *,
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0,  # decay of the running average of weights and buffers; 0: none
    precision: Precision = "float32",  # of convolutions; bfloat16, or auto: bfloat16 where the processor has it
    log_every: Positive = 50,  # iterations between two entries of the log
    checkpoint_every: Positive = 200,  # iterations between two saved states, from which an interrupted run goes on
    sample_every: Positive = 500,  # iterations between two sheets
    started: bool = False,  # whether from trained weights: an average that begins with random ones is short at first
    seed: int = 0,
    on_samples: Callable[[Method, int, float], None] = lambda *so_far: (
        None
    ),  # draws a sheet: averaged, iteration, minutes
) -> list[dict[str, Any]]:
    """Train a method's networks in place, phase by phase, on the device that the people are on.

    The networks that `generate` uses end with their averaged weights, in evaluation mode; they get these weights after
    the last phase that trains them, so that later phases work with what is generated with.

    What iteration t does depends on the seed, t and the networks' state alone. A run that is killed and started again
    with the same scratch folder ends with the same weights, bit for bit on a CPU with the same number of threads.

    Returns:
        the log, one entry for each `log_every` iterations of a phase: phase, iteration, and the mean of each loss since
        the entry before.

    Raises:
        InputError: there are fewer pairs than one iteration needs, or people have no identities where these are needed.
        FloatingPointError: a loss is not finite; the message names phase and iteration.
    """
    device = people.images.device
    reduced = precision_of(precision, device) == "bfloat16"
    for network in method.networks.values():
        network.to(device)
    phases = list(method.phases(device))
    for phase in phases:
        wanted = f"{phase.batches} x {phase.batch_size}"
        if len(pairs) < phase.batches * phase.batch_size:
            raise InputError(
                f"one iteration of phase {phase.name} needs {wanted} pairs, got {len(pairs)}: lower the batch size "
                "of that phase among the generator's options, or take a larger data set"
            )
    averaged = deepcopy(method)
    for network in averaged.networks.values():
        network.eval().requires_grad_(False)

    usable = method.usable_source(people.poses).cpu() if method.needs.sources > 1 else None

    # Resume.
    log, totals, began = list[dict[str, Any]](), dict[str, Tensor](), time.monotonic()
    resumed = scratch.load()
    at, start = (0, 0) if resumed is None else (resumed["phase"], resumed["iteration"])
    if resumed is not None:
        began -= resumed["seconds"]
        log, totals = resumed["log"], {name: total.to(device) for name, total in resumed["totals"].items()}
        for name, part in _state(method, averaged, phases[at]).items():
            part.load_state_dict(resumed["state"][name])

    for number, phase in list(enumerate(phases))[at:]:
        before = sum(earlier.iterations for earlier in phases[:number])
        own_seed = seed if number == 0 else seed_for(seed, "phase", number)
        for name, network in method.networks.items():
            network.train(name in phase.trains)
        trained = {name for done in phases[:number] for name in done.trains}
        moving = [name for name in method.inference if name in phase.trains]
        if start < phase.iterations and hasattr(method, "begin"):
            torch.manual_seed(seed_for(own_seed, "begin"))
            method.begin(phase, people)
            for name in moving:
                if start == 0 and name not in trained:  # averages start from the networks as they begin
                    averaged.networks[name].load_state_dict(method.networks[name].state_dict())
        for iteration in progress(range(start, phase.iterations), phase.name, "it", phase.iterations, start):
            # Dropout and a method's noise draw from torch's global random stream: seeded anew for each iteration, they
            # are the same in a resumed run.
            torch.manual_seed(seed_for(own_seed, "iteration", iteration))
            batches = _batches(method, phase, people, pairs, usable, iteration, own_seed)
            # Without the cache, which would keep weights of before an update for what comes after it.
            with torch.autocast(device.type, torch.bfloat16, enabled=reduced, cache_enabled=False):
                losses = method.step(phase, iteration, batches)
            for name in moving:
                moved = iteration + sum(earlier.iterations for earlier in phases[:number] if name in earlier.trains)
                decay = average if started else min(average, (1 + moved) / (10 + moved))
                _average(averaged.networks[name], method.networks[name], decay)
            totals = {name: totals.get(name, 0) + loss.detach() for name, loss in losses.items()}

            # Log, draw samples, save the state.
            done = iteration + 1
            last = done == phase.iterations
            saves = done % checkpoint_every == 0 or last
            if saves or done % log_every == 0:
                _refuse_not_finite(phase.name, done, totals)
            if done % log_every == 0 or last:
                log.append(_entry(phase.name, done, totals, log))
                totals = {}
            if phase.draws and ((before + done) % sample_every == 0 or last):
                on_samples(averaged, before + done, (time.monotonic() - began) / 60)
            if saves:
                state = {name: part.state_dict() for name, part in _state(method, averaged, phase).items()}
                seconds = time.monotonic() - began
                saved = {"phase": number, "iteration": done, "seconds": seconds, "log": log, "totals": totals}
                scratch.save(saved | {"state": state})
        start = 0
        # What no later phase trains is finished: from now on it has the weights that it will generate with.
        later = {name for coming in phases[number + 1 :] for name in coming.trains}
        for name in moving:
            if name not in later:
                method.networks[name].load_state_dict(averaged.networks[name].state_dict())
    for name in method.inference:
        method.networks[name].load_state_dict(averaged.networks[name].state_dict())
        method.networks[name].eval()
    return log


def _batches(
    method: Method, phase: Phase, people: People, pairs: Tensor, usable: Tensor | None, iteration: int, seed: int
) -> Iterator[Batch]:
    """The fresh batches of an iteration, as many as the phase may take."""
    random = torch.Generator().manual_seed(seed_for(seed, "sources", iteration))
    drawn = pairs[draw(len(pairs), iteration, phase.batches * phase.batch_size, seed)]
    for part in drawn.split(phase.batch_size):
        tuples = with_further_sources(part, people.identities, method.needs.sources, random, usable)
        yield people.batch(tuples, pixels=phase.pixels)
    raise RuntimeError(f"phase {phase.name} took more batches than the {phase.batches} that it says")


def _state(method: Method, averaged: Method, phase: Phase) -> dict[str, Any]:
    """Everything that changes in a phase and is saved, by name."""
    return {
        **{f"network {name}": network for name, network in method.networks.items()},
        **{f"averaged {name}": averaged.networks[name] for name in method.inference},
        **{f"optimiser {name}": optimiser for name, optimiser in phase.optimisers.items()},
    }


@torch.no_grad()
def _average(averaged: nn.Module, network: nn.Module, decay: float) -> None:
    """Move the averaged weights and buffers by a share of 1 - decay towards a network's; integer buffers are copied."""
    means: list[Tensor] = list(averaged.parameters())
    if means:
        torch._foreach_lerp_(means, list(network.parameters()), 1 - decay)
    for mean, buffer in zip(averaged.buffers(), network.buffers(), strict=True):
        if buffer.is_floating_point():
            mean.lerp_(buffer, 1 - decay)
        else:
            mean.copy_(buffer)


def _refuse_not_finite(phase: str, iteration: int, totals: dict[str, Tensor]) -> None:
    values = {name: float(total) for name, total in totals.items()}
    if not all(map(math.isfinite, values.values())):
        raise FloatingPointError(
            f"losses are not finite in phase {phase} by iteration {iteration}: {values}; lower the learning rate"
        )


def _entry(phase: str, iteration: int, totals: dict[str, Tensor], log: list[dict[str, Any]]) -> dict[str, Any]:
    """An entry of the log: the mean of each loss since the phase's last one."""
    earlier = [entry["iteration"] for entry in log if entry["phase"] == phase]
    since = iteration - (earlier[-1] if earlier else 0)
    return {"phase": phase, "iteration": iteration, **{name: float(total) / since for name, total in totals.items()}}
