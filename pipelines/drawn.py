"""Images that a generator draws of pairs of test images: the source redrawn in the target's pose; and their scores."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from augment import methods
from augment.generation import generate_images
from augment.scores.classifiers import judge
from augment.scores.frechet import frechet_distance
from pipelines import layout
from pipelines.people import places, read_pairs, tuples_of_pairs, usable_pairs
from pipelines.runtime import Threads
from pipelines.scoring import Networks, compare, find_scratch, inspect, masks
from reid.common.checkpoints import Scratch


class Drawn(NamedTuple):
    """P pairs of test images, and images of the sources' people in the targets' poses."""

    name: str  # of the generator, or `real`: then the images are the targets themselves
    table: pd.DataFrame  # sample table of the pairs' people
    pairs: Tensor  # (P, 2) indices into the table: source and target
    made_from: Tensor  # (P, K) indices into the table: all that an image comes from, its sources and its target
    source: Tensor  # (P, 3, H, W) uint8, as the other two
    target: Tensor
    images: Tensor
    mask: Tensor  # (P, H, W), of the people in the targets

    @property
    def real(self) -> bool:
        """Whether the images are the targets themselves."""
        return self.name == layout.REAL


def real_images(chosen: pd.DataFrame, size: tuple[int, int]) -> Drawn:
    """The real targets of pairs, columns source and target, as what is to be scored."""
    people, table = read_pairs("gallery", chosen, size)
    pairs = places(chosen, table)
    source, target = (people.images[rows] for rows in pairs.unbind(1))
    return Drawn(layout.REAL, table, pairs, pairs, source, target, target, masks(people.poses[pairs[:, 1]], size))


def generated_images(
    name: str,
    chosen: pd.DataFrame,
    seed: int,
    device: torch.device,
    threads: Threads,
    size: tuple[int, int],
    sources: int | None = None,
) -> tuple[Drawn, Scratch]:
    """The images that a generator draws of pairs, of those that it can use.

    Args:
        name: of the generator.
        chosen: the pairs, columns source and target.
        seed: of the choice of further sources.
        device: to work on.
        threads: CPU threads.
        size: (H, W) of the images.
        sources: how many a generator from several is given, at most: the first of those that it takes; None: all. What
            an image is made from, `made_from`, counts them all, so that scores with fewer can be compared.

    Returns:
        the images, and the scratch folder that keeps them until the caller removes it.

    Raises:
        InputError: the generator can draw none of the pairs.
    """
    method = methods.load(layout.gan(name), device, size)
    people, table = read_pairs("gallery", chosen, size, method.needs)
    kept = usable_pairs(method, chosen, people, table, name)
    pairs = places(kept, table)
    settings = {"size": size, "threads": threads, "seed": seed, "sources": sources}
    work = f"score-{name}" if sources is None else f"score-{name}-{sources}-{seed}"
    scratch = find_scratch(work, name, method, chosen, table, settings, device, __name__)
    tuples = tuples_of_pairs(method, kept, people, table, seed)
    given = tuples if sources is None else tuples.first(sources)
    images = generate_images(method, people.to(device), given, scratch, seed=seed)
    source, target = (people.images[rows] for rows in pairs.unbind(1))
    made_from = torch.cat([tuples.sources, tuples.targets[:, None]], 1)
    mask = masks(people.poses[pairs[:, 1]], size)
    return Drawn(name, table, pairs, made_from, source, target, images, mask), scratch


def scores_of_images(drawn: Drawn, ssim: str, networks: Networks, device: torch.device) -> dict[str, float]:
    """The scores of `pipelines.scoring.inspect` and `compare`, and with a classifier the Frechet distance, fd.

    That is the distance to the real targets; theirs is that to the sources, other real images of the same people.
    """
    measured, judged = inspect(drawn.images, drawn.mask, networks, device, drawn.name)
    measured |= compare(drawn.images, drawn.target, drawn.mask, ssim)
    if networks.classifier and judged:
        reference = drawn.source if drawn.real else drawn.target
        other = judge(networks.classifier, reference.to(device), title="classify real images")
        measured["fd"] = frechet_distance(judged.features, other.features)
    return measured


def pixels(images: Tensor) -> NDArray[np.uint8]:
    """Images (..., 3, H, W) as pictures (..., H, W, 3)."""
    return images.movedim(-3, -1).numpy()
