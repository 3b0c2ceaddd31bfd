"""Training a Re-ID network for a fixed number of iterations: one loop, resumable at any moment."""

from __future__ import annotations

import math
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from reid.common.checkpoints import State
from reid.common.errors import InputError
from reid.common.parameters import MOST, Count, NotNegative, Positive, Rate, Share
from reid.common.progress import progress
from reid.files.images import to_float
from reid.networks import IDE
from reid.randomness.seeds import seed_for
from reid.training.erasing import erased
from reid.training.sampling import SAMPLINGS, Sampling

SAME = 1e-6  # relative difference of features that are equal but for rounding


def train(
    network: IDE,
    images: Tensor,  # (N, 3, H, W) uint8 RGB
    labels: Tensor,  # (N,) class labels
    smoothing: Tensor,  # (N,) the share of each image's label that is spread over all classes, in 0..1
    weights: Tensor,  # (N,) of each image's loss; a pair has the mean of its two
    scratch: State,  # where the run's state is kept until the caller removes it
    *,
    iterations: Positive,  # the same for every training set, so that a gain is never a longer schedule
    batch_size: Annotated[int, Field(ge=2, le=MOST)] = 16,  # images, or pairs of them; one has no statistics
    sampling: Sampling = "single",  # key of SAMPLINGS: images one by one, several of each person, or pairs
    learning_rate: Rate = 0.001,  # of SGD
    classifier_rate: Rate = 1.0,  # the classifiers' learning rate, as a multiple
    bias_rate: Rate = 2.0,  # that of the classifiers' biases, as a multiple of their weights'; IDE's is 2
    bias_decay: bool = False,  # whether the classifiers' biases decay as weights do; IDE's do not
    warmup: Count = 0,  # iterations in which the learning rate rises to its full value
    decay_at: list[Positive] | None = None,  # iterations at which the learning rate falls to a tenth
    momentum: Share = 0.9,
    weight_decay: NotNegative = 5e-4,
    flip: Share = 0.5,  # probability of mirroring an image
    erase: Share = 0.0,  # probability of erasing a random rectangle of an image (Zhong et al., AAAI 2020)
    seed: int = 0,
    log_every: Positive = 50,
    checkpoint_every: Positive = 200,
) -> list[dict[str, float]]:
    """Train the network in place.

    What iteration t does depends on the seed, t and the network's state alone. A run that is killed and started again
    with the same scratch folder ends with the same weights, bit for bit on a CPU with the same number of threads.

    Returns:
        the log, one entry for each `log_every` iterations: iteration, learning_rate, loss (the mean since the last).

    Raises:
        InputError: there are fewer images than a batch holds.
        FloatingPointError: the loss is not finite, or the network gives all images the same features.
    """
    if len(images) < batch_size:
        raise InputError(
            f"a batch holds {batch_size} images, the training set only {len(images)}: lower batch_size, or take a "
            "larger data set"
        )
    groups: list[dict[str, Any]] = [{"params": network.backbone.parameters(), "factor": 1.0}]
    for layer, factor in network.heads():
        rate = factor * classifier_rate
        own = {name: parameter for name, parameter in layer.named_parameters() if parameter.requires_grad}
        groups.append({"params": [own["weight"]], "factor": rate})
        if "bias" in own:
            decay = weight_decay if bias_decay else 0.0
            groups.append({"params": [own["bias"]], "factor": bias_rate * rate, "weight_decay": decay})
    optimiser = torch.optim.SGD(groups, learning_rate, momentum, weight_decay=weight_decay)
    parts: dict[str, Any] = {"network": network, "optimiser": optimiser}

    # Resume.
    start, log = 0, list[dict[str, float]]()
    total = torch.zeros((), device=images.device)
    if (state := scratch.load()) is not None:
        start, log, total = state["iteration"], state["log"], state["total"].to(total.device)
        for name, part in parts.items():
            part.load_state_dict(state[name])

    labels_on_cpu = labels.cpu()
    network.train()
    for iteration in progress(range(start, iterations), "train", "it", iterations, start):
        rate = learning_rate * 0.1 ** sum(iteration >= at for at in decay_at or [])
        rate *= min(1.0, (iteration + 1) / max(warmup, 1))
        for group in optimiser.param_groups:
            group["lr"] = rate * group["factor"]

        # Draw a batch. Each iteration has its own random stream, which dropout, crops and flips draw from.
        torch.manual_seed(seed_for(seed, "iteration", iteration))
        indices = SAMPLINGS[sampling](labels_on_cpu, iteration, batch_size, seed).to(images.device)
        batch = to_float(images[indices])
        mirrored = torch.rand(len(batch)).lt(flip).to(images.device)
        batch = torch.where(mirrored[:, None, None, None], batch.flip(3), batch)
        batch = erased(batch, erase)

        # Step.
        losses = network.loss(batch, labels[indices], smoothing[indices])
        loss = (losses * weights[indices].view(-1, len(losses)).mean(0)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

        # Log, save the state.
        total += loss.detach()
        done = iteration + 1
        if done % log_every == 0 or done == iterations:
            mean = float(total) / (done - (int(log[-1]["iteration"]) if log else 0))
            if not math.isfinite(mean):
                raise FloatingPointError(f"loss is {mean} at iteration {done}; lower the learning rate")
            if collapsed(network, batch):
                raise FloatingPointError(
                    f"at iteration {done} the network gives all images the same features, and can no longer learn from "
                    "them; lower the learning rate, or a triplet loss's weight, or set its unit_length: true"
                )
            log.append({"iteration": done, "learning_rate": rate, "loss": mean})
            total.zero_()
        if done % checkpoint_every == 0 or done == iterations:
            state = {name: part.state_dict() for name, part in parts.items()}
            scratch.save({"iteration": done, "log": log, "total": total, **state})
    network.eval()
    return log


@torch.inference_mode()
def collapsed(network: IDE, images: Tensor) -> bool:
    """Whether a network in training gives images (B, 3, H, W) all the same features, but for rounding."""
    network.eval()
    features = network.features(images).float()
    network.train()
    return len(images) > 1 and bool((features - features[:1]).norm() <= SAME * features.norm())
