"""Tuples of images: M sources of one person and a target, as indices of the images in memory."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from reid.common.errors import InputError


class Tuples(NamedTuple):
    """B tuples; where a person has fewer than M sources, the first is repeated, and the repetitions are not valid."""

    sources: Tensor  # (B, M) int64
    valid: Tensor  # (B, M) bool
    targets: Tensor  # (B,) int64

    @classmethod
    def of_pairs(cls, sources: Tensor, targets: Tensor) -> Tuples:
        """Tuples with one source each, of sources (B,) and targets (B,)."""
        return cls(sources[:, None], torch.ones(len(sources), 1, dtype=torch.bool), targets)

    def first(self, count: int) -> Tuples:
        """The tuples with at most so many sources each: the first ones."""
        return Tuples(self.sources[:, :count], self.valid[:, :count], self.targets)

    def split(self, size: int) -> list[Tuples]:
        """The tuples in parts of `size`; the last may be smaller.

        Example:
            >>> pairs = Tuples.of_pairs(sources=torch.tensor([0, 1, 2]), targets=torch.tensor([3, 4, 5]))
            >>> [part.targets.tolist() for part in pairs.split(2)]
            [[3, 4], [5]]
        """
        return [Tuples(*part) for part in zip(*(tensor.split(size) for tensor in self), strict=True)]

    def part(self, start: int, stop: int) -> Tuples:
        """The tuples start..stop-1."""
        return Tuples(*(tensor[start:stop] for tensor in self))


def with_further_sources(
    pairs: Tensor,
    identities: Tensor | None,
    sources: int,
    random: torch.Generator,
    usable: Tensor | None = None,
) -> Tuples:
    """Tuples of pairs of a source and a target, with M - 1 further sources: other images of the source's person.

    The further sources are drawn for each pair at random; all tuples are never enumerated. So a person with many images
    is as frequent among the tuples as among the pairs. (Generation, where sources are chosen once for each image, takes
    those of the source's camera first: `augment.plans.redraw.further_sources`.)

    Args:
        pairs: (B, 2) indices of source and target.
        identities: (N,) of all images; not needed where M is 1.
        sources: M, from 1.
        random: generator that the further sources are drawn with.
        usable: (N,) bool, which images may be further sources; None for all.

    Raises:
        InputError: identities are needed and not given, or M is below 1.

    Example:
        >>> random = torch.Generator().manual_seed(0)
        >>> tuples = with_further_sources(torch.tensor([[0, 1]]), torch.tensor([7, 7, 7, 8]), 3, random)
        >>> tuples.sources, tuples.valid
        (tensor([[0, 2, 0]]), tensor([[ True,  True, False]]))
    """
    first, targets = pairs.unbind(1)
    if sources == 1:
        return Tuples.of_pairs(first, targets)
    if sources < 1:
        raise InputError(f"a tuple has at least one source, got {sources}")
    if identities is None:
        raise InputError(f"{sources} sources of one person are needed, and it is not known whom the images show")
    identities = identities.cpu()
    candidates = identities[None] == identities[first, None]  # (B, N): which images are of the same person
    if usable is not None:
        candidates &= usable.cpu()
    candidates[torch.arange(len(pairs)), first] = False
    candidates[torch.arange(len(pairs)), targets] = False
    order = torch.where(candidates, torch.rand(candidates.shape, generator=random), 2.0).argsort(1)[:, : sources - 1]
    further, valid = _padded(order, candidates.gather(1, order), sources - 1)
    further = torch.where(valid, further, first[:, None])
    all_valid = torch.cat([torch.ones(len(pairs), 1, dtype=torch.bool), valid], 1)
    return Tuples(torch.cat([first[:, None], further], 1), all_valid, targets)


def _padded(order: Tensor, valid: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Both (B, K) filled up to (B, width) where there are fewer than `width` images in all."""
    missing = (0, width - order.shape[1])
    return torch.nn.functional.pad(order, missing), torch.nn.functional.pad(valid, missing)
