"""Which samples each training iteration uses, as a function of the iteration alone."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from reid.randomness.seeds import seed_for


def draw(count: int, iteration: int, batch_size: int, seed: int) -> Tensor:
    """Indices (batch_size,), in 0..count-1, of the samples of iteration 0, 1, ...: epochs, each in a new random order.

    Samples that are left over at the end of an epoch, fewer than a batch, are not used in it.

    Example:
        The two iterations of an epoch over five samples use four of them, each once.

        >>> epoch = torch.cat([draw(5, iteration, 2, seed=0) for iteration in (0, 1)])
        >>> len(epoch), len(set(epoch.tolist()))
        (4, 4)
    """
    epoch, within = divmod(iteration, count // batch_size)
    return _order(count, epoch, seed)[within * batch_size : (within + 1) * batch_size]


@lru_cache(maxsize=1)
def _order(count: int, epoch: int, seed: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed_for(seed, "pass", epoch)))
