"""Rank lists to look at: the gallery images that a query finds first, and what each of them is."""

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


def draw(lists: list[tuple[str, Picture, list[tuple[Picture, Kind]]]], path: Path, generated: bool = False) -> None:
    """Write a sheet of queries, each with the gallery images nearest to it, framed by what they are.

    Args:
        lists: caption, query, and the gallery images with what each is.
        path: of the PNG.
        generated: whether the queries are generated images.
    """
    rows = [
        (
            name,
            [framed(query, GENERATED if generated else REAL), *(framed(image, COLOURS[kind]) for image, kind in found)],
        )
        for name, query, found in lists
    ]
    asked = "generated query (violet)" if generated else "query (black)"
    title = f"{asked}, then what is nearest to it; green: the same person, red: another, grey: not ranked"
    sheet(rows, path, height=128, title=title)
