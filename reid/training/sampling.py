"""Which images each iteration of Re-ID training works on, one by one or in pairs, as a function of the iteration alone.

Siamese networks learn from pairs: half of them positive to begin with, then fewer with each pass over the training
images, down to a fifth.

All of SAMPLINGS take the class labels (N,) of all images, the iteration (from 0), how many images or pairs P are
wanted, and the seed of everything. They give rows: (P,) of single images, or (2P,), the first images of all pairs, then
their second; pairs of one person alone raise InputError.
"""

from __future__ import annotations

import torch
from torch import Tensor

from reid.common.errors import InputError
from reid.randomness.batches import draw
from reid.randomness.seeds import seed_for

GROWTH = 1.01  # with each pass
MOST = 4  # negative pairs for each positive one
PASSES = 1_000  # after which nothing grows any more, the most having been reached


def single(labels: Tensor, iteration: int, batch_size: int, seed: int) -> Tensor:
    """Rows (batch_size,) of images with labels (N,) in iteration 0, 1, ...: passes over all, in a new order each."""
    return draw(len(labels), iteration, batch_size, seed)


def drawn(labels: Tensor, iteration: int, pairs: int, seed: int) -> Tensor:
    """Pairs of iteration 0, 1, ...: each has a random first image, and is positive by chance.

    As in the code behind Table 4: P(positive) = 1 / (1 + n), n = min(1.01^pass, 4); the second image of a positive pair
    may be the first.
    """
    stream = torch.Generator().manual_seed(seed_for(seed, "pairs", iteration))
    first = torch.randint(len(labels), (pairs,), generator=stream)
    negatives = min(GROWTH ** min(iteration * pairs // len(labels), PASSES), MOST)
    positive = torch.rand(pairs, generator=stream) < 1 / (1 + negatives)
    return torch.cat([first, _partners(labels, first, positive, torch.rand(pairs, generator=stream), itself=True)])


def counted(labels: Tensor, iteration: int, pairs: int, seed: int) -> Tensor:
    """Pairs of iteration 0, 1, ...: first images in passes over all, and a fixed number of positive pairs a batch.

    As in the original: the first round(P / d) pairs are positive, d = min(2 x 1.01^epoch, 5), epoch from 1; no image is
    its own partner, but for the only one of its class.
    """
    stream = torch.Generator().manual_seed(seed_for(seed, "pairs", iteration))
    first = draw(len(labels), iteration, pairs, seed)
    epoch = 1 + iteration // (len(labels) // pairs)
    share = min(2 * GROWTH ** min(epoch, PASSES), 1 + MOST)
    positive = torch.arange(pairs) < round(pairs / share)
    return torch.cat([first, _partners(labels, first, positive, torch.rand(pairs, generator=stream), itself=False)])


SAMPLINGS = {"single": single, "drawn": drawn, "counted": counted}


def _partners(labels: Tensor, first: Tensor, positive: Tensor, random: Tensor, itself: bool) -> Tensor:
    """A random image of the same class for each positive pair, of another class for the others.

    Args:
        labels: (N,).
        first: (P,) rows.
        positive: (P,) bool.
        random: (P,) in [0, 1): which of the possible images.
        itself: whether the first image is possible.
    """
    order = torch.argsort(labels, stable=True)
    place = torch.argsort(order)[first]  # of the first images among all by class
    begin, end = (torch.searchsorted(labels[order], labels[first], right=right) for right in (False, True))
    own, others = end - begin, len(labels) - (end - begin)
    if not others[~positive].all():
        raise InputError("siamese training needs images of at least two people; all of them are of one")

    possible = own if itself else (own - 1).clamp(min=1)
    choice = begin + (random * possible).long()
    if not itself:
        choice += ((choice >= place) & (own > 1)).long()
    other = (random * others).long()
    other += own * (other >= begin)
    return order[torch.where(positive, choice, other)]
