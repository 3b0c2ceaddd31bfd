"""Which images a study shows: none that was generated beside a real one that it was made from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reid.randomness.seeds import seed_for


def choose(
    targets: Sequence[str], made_from: Sequence[frozenset[str]], count: int, seed: int
) -> tuple[list[int], list[int]]:
    """Choose pairs whose real target is shown, and others of which the generated image is.

    Pairs are gone through in random order, and each is given to the kind that has fewer images so far, if it may. No
    target is taken twice for one kind, and no real image is shown that a generated one comes from.

    Args:
        targets: the real target of each of P pairs.
        made_from: all images that the generated one of each pair comes from, its target among them.
        count: how many images of each kind are wanted.
        seed: of the order.

    Returns:
        indices of the pairs whose targets are shown, and of those whose generated images are; at most `count` of each,
        fewer where the pairs have too many images in common.

    Example:
        >>> choose(["a", "b"], [frozenset("ac"), frozenset("bc")], count=1, seed=0)
        ([0], [1])
    """
    real, generated = dict[str, int](), dict[str, int]()
    used = set[str]()  # by generated images
    for index in np.random.default_rng(seed_for(seed, "study", "images")).permutation(len(targets)).tolist():
        target, own = targets[index], made_from[index]
        may_be_real = len(real) < count and target not in real and target not in used
        may_be_generated = len(generated) < count and target not in generated and own.isdisjoint(real)
        if may_be_real and not (may_be_generated and len(generated) < len(real)):
            real[target] = index
        elif may_be_generated:
            generated[target] = index
            used |= own
    return list(real.values()), list(generated.values())
