"""Rank lists to look at: a query's nearest gallery images, each marked as hit, miss or junk."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reid.files.samples import JUNK
from reid.pictures.sheets import Picture, framed, sheet

Kind = Literal["hit", "miss", "junk"]
COLOURS: dict[Kind, tuple[int, int, int]] = {"hit": (30, 160, 60), "miss": (210, 40, 40), "junk": (165, 165, 165)}
REAL, GENERATED = (30, 30, 30), (150, 60, 200)  # colours of queries' frames


class RankList(NamedTuple):
    """A query and its nearest gallery images, nearest first."""

    query: str  # name of the image
    gallery: list[str]  # names of the images
    kinds: list[Kind]  # hit: the same person in another camera; miss: another person; junk: removed by the protocol


def rank_list(query: pd.Series, gallery: pd.DataFrame, order: NDArray[np.int64]) -> RankList:
    """The rank list of a query.

    Args:
        query: the query's entry of its sample table.
        gallery: sample table of the gallery.
        order: indices into the gallery, nearest first.

    Example:
        >>> gallery = pd.DataFrame({"image": ["a", "b", "c"], "identity": [7, 8, 7], "camera": [1, 2, 3]})
        >>> query = pd.Series({"image": "q", "identity": 7, "camera": 1})
        >>> rank_list(query, gallery, np.array([0, 1, 2])).kinds
        ['junk', 'miss', 'hit']
    """
    nearest = gallery.iloc[order]
    same = (nearest["identity"] == query["identity"]).to_numpy()
    removed = (nearest["identity"] == JUNK).to_numpy() | (same & (nearest["camera"] == query["camera"]).to_numpy())
    kinds = np.select([removed, same], ["junk", "hit"], "miss")
    return RankList(query["image"], nearest["image"].tolist(), kinds.tolist())


def draw(lists: list[tuple[str, Picture, list[tuple[Picture, Kind]]]], path: Path, generated: bool = False) -> None:
    """Write a sheet of queries, each followed by its nearest gallery images in frames that say hit, miss or junk.

    Args:
        lists: for each query its caption, its image, and its nearest gallery images with their kinds.
        path: of the picture, whose suffix says in which format.
        generated: whether the queries are generated images.
    """
    colour = GENERATED if generated else REAL
    lines = [
        (caption, [framed(query, colour), *(framed(image, COLOURS[kind]) for image, kind in nearest)])
        for caption, query, nearest in lists
    ]
    first = "generated query (violet)" if generated else "query (black)"
    title = f"{first}, then what is nearest to it; green: the same person, red: another, grey: not ranked"
    sheet(lines, path, height=128, title=title)
