"""Pairs of images of one person, to train and judge generators on."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reid.files.samples import DISTRACTOR


def all_pairs(table: pd.DataFrame, usable: NDArray[np.bool_]) -> pd.DataFrame:
    """All ordered pairs of different usable images of the same person, cameras not looked at (as released).

    Args:
        table: sample table of N images; junk and distractors make no pairs.
        usable: (N,) whether an image's pose is good enough; see `augment.poses.Pose.has_torso`.

    Returns:
        columns identity, source, target (images), in the order of the table.
    """
    people = table[usable & (table["identity"] > DISTRACTOR).to_numpy()]
    pairs = people[["identity", "image"]].merge(people[["identity", "image"]], on="identity", suffixes=("", "_target"))
    pairs = pairs[pairs["image"] != pairs["image_target"]]
    return pairs.set_axis(["identity", "source", "target"], axis=1).reset_index(drop=True)


def sample_pairs(pairs: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """At most `count` of the pairs, drawn without replacement, in the order drawn.

    So that each part of the list is a sample of all people, as in the released list of test pairs: the Inception score
    is a mean over ten parts of it.
    """
    rows = np.random.default_rng(seed).choice(len(pairs), min(count, len(pairs)), replace=False)
    return pairs.iloc[rows].reset_index(drop=True)
