"""Which rows each training iteration works on, as a function of the iteration alone."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from reid.randomness.seeds import seed_for


def draw(count: int, iteration: int, batch_size: int, seed: int) -> Tensor:
    """Rows (batch_size,) of iteration 0, 1, ...: passes over all `count` rows, in a new order each.

    The rows that are left at the end of a pass, fewer than a batch, are not used in it.
    """
    number, within = divmod(iteration, count // batch_size)
    return _order(count, number, seed)[within * batch_size : (within + 1) * batch_size]


@lru_cache(maxsize=1)
def _order(count: int, number: int, seed: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed_for(seed, "pass", number)))
