"""Pairs (source image, target image) of the same person, on which generators are trained and scored."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reid.files.samples import DISTRACTOR


def all_pairs(table: pd.DataFrame, usable: NDArray[np.bool_]) -> pd.DataFrame:
    """All ordered pairs of two different usable images of a person, from the same camera or not (as released).

    Args:
        table: sample table of N images; junk and distractors make no pairs.
        usable: (N,) bool: whether a generator can use the image's pose; see `augment.poses.Pose.has_torso`.

    Returns:
        table of the pairs with columns identity, source and target (images' names), in the order of `table`.

    Example:
        >>> import numpy as np
        >>> import pandas as pd
        >>> from augment.data.pairs import all_pairs
        >>> table = pd.DataFrame({"identity": [7, 7, 7, -1], "image": ["a.jpg", "b.jpg", "c.jpg", "junk.jpg"]})
        >>> all_pairs(table, usable=np.array([True, False, True, True])).to_numpy().tolist()
        [[7, 'a.jpg', 'c.jpg'], [7, 'c.jpg', 'a.jpg']]
    """
    people = table[usable & (table["identity"] > DISTRACTOR).to_numpy()]
    pairs = people[["identity", "image"]].merge(people[["identity", "image"]], on="identity", suffixes=("", "_target"))
    pairs = pairs[pairs["image"] != pairs["image_target"]]
    return pairs.set_axis(["identity", "source", "target"], axis=1).reset_index(drop=True)


def sample_pairs(pairs: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """At most `count` of the pairs, drawn without replacement, in the order in which they were drawn.

    In this order each part of the list is a sample of all people, as in the released list of test pairs. The inception
    score needs that: it is a mean over ten contiguous parts.
    """
    drawn = np.random.default_rng(seed).choice(len(pairs), min(count, len(pairs)), replace=False)
    return pairs.iloc[drawn].reset_index(drop=True)
