"""Which images each iteration of Re-ID training uses, as a function of the iteration alone.

They come one by one, several of each person, or in pairs.

Siamese networks learn from positive pairs, of one person, and negative pairs, of two. Half of the pairs are positive to
begin with, so that the network does not learn to call every pair negative; the share falls with each epoch, to a fifth.

All functions in SAMPLINGS take the class labels (N,) of all training images, the iteration (from 0), the number P of
images or pairs in a batch, and the seed. They return indices of images: (P,) for images; (2P,) for pairs, the first
images of all pairs, then their second ones. Those that draw pairs raise InputError where all images are of one person.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

import torch
from torch import Tensor

from reid.common.errors import InputError
from reid.common.parameters import one_of
from reid.randomness.batches import draw
from reid.randomness.seeds import seed_for

GROWTH = 1.01  # of the negative pairs for each positive one, with each epoch
MOST = 4  # negative pairs for each positive one
PASSES = 1_000  # epochs, after which the ratio has long been at MOST
EACH = 4  # images of each person in a balanced batch


def single(labels: Tensor, iteration: int, batch_size: int, seed: int) -> Tensor:
    """Indices (batch_size,) of single images: epochs over all images, in a new random order each.

    Example:
        >>> labels = torch.tensor([0, 0, 1, 1])
        >>> epoch = torch.cat([single(labels, iteration, 2, seed=0) for iteration in (0, 1)])
        >>> sorted(epoch.tolist())
        [0, 1, 2, 3]
    """
    return draw(len(labels), iteration, batch_size, seed)


def balanced(labels: Tensor, iteration: int, batch_size: int, seed: int) -> Tensor:
    """Indices (batch_size,) of EACH images of each of some classes, those of a class beside each other.

    Epochs run over the classes, in a new random order each. A class's images are drawn without replacement where it has
    enough of them.

    Raises:
        InputError: the batch is no multiple of EACH, or there are too few classes for it.

    Example:
        >>> labels = torch.arange(4).repeat_interleave(5)
        >>> labels[balanced(labels, 0, 8, seed=0)].tolist()
        [3, 3, 3, 3, 0, 0, 0, 0]
    """
    people, classes = batch_size // EACH, _by_class(labels)
    if batch_size % EACH or len(classes.count) < people:
        raise InputError(
            f"a balanced batch holds {EACH} images of each of its people: batch_size has to be a multiple of {EACH}, "
            f"and at most {EACH} times the {len(classes.count)} people of the training set; got {batch_size}"
        )
    stream = torch.Generator().manual_seed(seed_for(seed, "images", iteration))
    rows = []
    for name in draw(len(classes.count), iteration, people, seed).tolist():
        begin, count = int(classes.begin[name]), int(classes.count[name])
        orders = [torch.randperm(count, generator=stream) for _ in range(-(-EACH // count))]
        rows.append(classes.order[begin + torch.cat(orders)[:EACH]])
    return torch.cat(rows)


def drawn(labels: Tensor, iteration: int, pairs: int, seed: int) -> Tensor:
    """Indices (2P,) of pairs with random first images; each pair is positive with a probability.

    As in the code behind the journal paper's Table 4: P(positive) = 1 / (1 + n), n = min(1.01^epoch, 4), epoch from 0;
    the second image of a positive pair may be the first one again. For a negative pair another class is drawn, all
    alike however many images they have, then an image of it.

    Example:
        The share of positive pairs in the first epoch, and in the last ones.

        >>> labels = torch.tensor([0, 0, 1, 1]).repeat(1000)
        >>> for iteration in (0, 1000):
        ...     first, second = drawn(labels, iteration, 4000, seed=0).chunk(2)
        ...     print(round(float((labels[first] == labels[second]).float().mean()), 1))
        0.5
        0.2
    """
    stream = torch.Generator().manual_seed(seed_for(seed, "pairs", iteration))
    first = torch.randint(len(labels), (pairs,), generator=stream)
    negatives = min(GROWTH ** min(iteration * pairs // len(labels), PASSES), MOST)
    positive = torch.rand(pairs, generator=stream) < 1 / (1 + negatives)
    image, other = (torch.rand(pairs, generator=stream) for _ in range(2))
    classes = _of_several(labels)
    own = classes.of[first]
    another = (other * (len(classes.count) - 1)).long()
    whose = torch.where(positive, own, another + (another >= own))
    return torch.cat([first, classes.order[classes.begin[whose] + (image * classes.count[whose]).long()]])


def counted(labels: Tensor, iteration: int, pairs: int, seed: int) -> Tensor:
    """Indices (2P,) of pairs whose first images run through epochs over all images; a fixed number of them is positive.

    As in the original siamese recipe: the first round(P / d) pairs are positive, d = min(2 x 1.01^epoch, 5), epoch from
    1. No image is paired with itself, unless it is the only one of its class. For a negative pair any image of the
    other classes is drawn, so that a class with more images comes more often.

    Example:
        >>> labels = torch.tensor([0, 0, 1, 1])
        >>> first, second = counted(labels, 0, 4, seed=0).chunk(2)
        >>> (labels[first] == labels[second]).tolist()
        [True, True, False, False]
    """
    stream = torch.Generator().manual_seed(seed_for(seed, "pairs", iteration))
    first = draw(len(labels), iteration, pairs, seed)
    epoch = 1 + iteration // (len(labels) // pairs)
    divisor = min(2 * GROWTH ** min(epoch, PASSES), 1 + MOST)
    positive = torch.arange(pairs) < round(pairs / divisor)
    random = torch.rand(pairs, generator=stream)
    classes = _of_several(labels)
    own = classes.of[first]
    begin, count = classes.begin[own], classes.count[own]
    same = begin + (random * (count - 1).clamp(min=1)).long()
    same += ((same >= classes.position[first]) & (count > 1)).long()
    other = (random * (len(labels) - count)).long()
    other += count * (other >= begin)
    return torch.cat([first, classes.order[torch.where(positive, same, other)]])


def _of_several(labels: Tensor) -> _Classes:
    """The images by class; raises InputError where there is one class only."""
    classes = _by_class(labels)
    if len(classes.count) < 2:
        raise InputError(
            f"siamese training needs images of at least two people; all {len(labels)} training images are of one: take "
            "a larger data set"
        )
    return classes


@lru_cache(maxsize=1)  # by the tensor itself, which is the same one in all iterations of a training
def _by_class(labels: Tensor) -> _Classes:
    return _Classes(labels)


class _Classes:
    """The images by class.

    Args:
        labels: (N,) class labels of all images.
    """

    def __init__(self, labels: Tensor):
        _, self.of, self.count = labels.unique(return_inverse=True, return_counts=True)  # (N,), (C,)
        self.order = torch.argsort(labels, stable=True)  # (N,) images, those of a class beside each other
        self.begin = self.count.cumsum(0) - self.count  # (C,) where the images of each class begin in it
        self.position = torch.argsort(self.order)  # (N,) of each image in it


SAMPLINGS = {"single": single, "balanced": balanced, "drawn": drawn, "counted": counted}
Sampling = Annotated[str, one_of(SAMPLINGS)]
