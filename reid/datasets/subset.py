"""A part of a training set, to find out what augmentation is worth where data are scarce."""

from __future__ import annotations

import numpy as np
import pandas as pd

from reid.common.errors import InputError
from reid.randomness.seeds import seed_for


def subset(table: pd.DataFrame, people: int | None, images: int | None, seed: int) -> pd.DataFrame:
    """The images of some people, or some images of each, chosen at random.

    Larger parts hold smaller ones, so that curves over the size are nested. Of a person's images those chosen are
    spread over the cameras: one of each, in random order, before a second of any.

    Args:
        table: sample table of the training set.
        people: how many; None for all.
        images: of each person, at most; None for all.
        seed: of the choice.

    Raises:
        InputError: there are not so many people.

    Example:
        >>> import numpy as np
        >>> from reid.files import samples
        >>> table = samples.real_table([f"{n}.jpg" for n in range(6)], "a.zip", [1, 1, 1, 2, 2, 2], [1, 1, 2, 1, 2, 2])
        >>> subset(table, people=1, images=2, seed=0)[["identity", "camera"]].to_numpy().tolist()
        [[2, 1], [2, 2]]
    """
    if people is not None:
        identities = np.array(sorted(table["identity"].unique()))
        if people > len(identities):
            raise InputError(f"dataset.train_people: {people} is more than the {len(identities)} people that there are")
        order = np.random.default_rng(seed_for(seed, "people")).permutation(len(identities))
        table = table[table["identity"].isin(identities[order[:people]])]
    if images is not None:
        table = table[_turns(table, seed) < images]
    return table.reset_index(drop=True)


def _turns(table: pd.DataFrame, seed: int) -> pd.Series:
    """(N,) when an image's turn comes among those of its person, from 0."""
    draws = pd.Series([seed_for(seed, "turn", image) for image in table["image"]], table.index)
    shuffled = table.assign(draw=draws).sort_values(["identity", "draw"])
    shuffled["round"] = shuffled.groupby(["identity", "camera"]).cumcount()
    return shuffled.sort_values(["identity", "round", "draw"]).groupby("identity").cumcount().reindex(table.index)
