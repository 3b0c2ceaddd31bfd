"""Loading what the generator stages work on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from augment.people import People
from augment.poses import table as pose_table
from pipelines import layout
from reid import samples
from reid.images import load


def read_people(table: pd.DataFrame, size: tuple[int, int]) -> People:
    """Images of a sample table, resized to (H, W), with their poses in pixels of that size."""
    images = load(table["archive"], table["image"], size)
    return People(images, pose_table.read(layout.poses(), list(table["image"]), size))


def read_pairs(split: str, pairs: pd.DataFrame, size: tuple[int, int]) -> tuple[People, Tensor, pd.DataFrame]:
    """The people of a split's pairs, the pairs as rows of them (P, 2), and the people's part of the sample table."""
    table = samples.read(layout.samples(split))
    table = table[table["image"].isin(set(pairs["source"]) | set(pairs["target"]))].reset_index(drop=True)
    row_of = pd.Series(np.arange(len(table)), table["image"])
    rows = np.stack([row_of.loc[pairs["source"]], row_of.loc[pairs["target"]]], 1)
    return read_people(table, size), torch.from_numpy(rows), table
