"""Rank lists to look at: the gallery images that a query finds first, and what each of them is."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reid.samples import JUNK

Kind = Literal["hit", "miss", "junk"]


class RankList(NamedTuple):
    """One query and what it finds, nearest first."""

    query: str  # name of the image
    gallery: list[str]  # names of the images
    kinds: list[Kind]  # the same person in another camera, another person, or removed by the protocol


def rank_list(query: pd.Series, gallery: pd.DataFrame, order: NDArray[np.int64]) -> RankList:
    """The list of a row of the query's sample table, given rows of the gallery's in order of distance."""
    found = gallery.iloc[order]
    same = (found["identity"] == query["identity"]).to_numpy()
    removed = (found["identity"] == JUNK).to_numpy() | (same & (found["camera"] == query["camera"]).to_numpy())
    kinds = np.select([removed, same], ["junk", "hit"], "miss")
    return RankList(query["image"], found["image"].tolist(), kinds.tolist())
