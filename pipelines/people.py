"""Loading what the generator stages work on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from augment.data.people import People
from augment.poses import table as pose_table
from pipelines import layout
from reid.common.errors import InputError
from reid.files import samples
from reid.files.images import Archive, background_name, load


def read_people(table: pd.DataFrame, size: tuple[int, int], backgrounds: bool = False) -> People:
    """Images of a sample table, resized to (H, W), with their poses in pixels of that size.

    Args:
        table: sample table of N images.
        size: (H, W).
        backgrounds: whether to read each image's background too, from `backgrounds/` beside its folder.

    Raises:
        InputError: an image has no pose, or no background where they are wanted.
    """
    images = load(table["archive"], table["image"], size)
    poses = pose_table.read(layout.poses(), list(table["image"]), size)
    if not backgrounds:
        return People(images, poses)
    names = table["image"].map(background_name)
    for path in sorted(table["archive"].unique()):
        with Archive(path) as archive:
            there = set(archive.names())
        missing = sorted(set(names[table["archive"] == path]) - there)
        if missing:
            raise InputError(
                f"{path} has no background of {len(missing):,} of {len(table):,} images, e.g. {missing[0]}: rendered "
                "sets (`python -m pipelines render`) and PRW (`python -m pipelines import-prw`) have backgrounds"
            )
    return People(images, poses, load(table["archive"], names, size))


def read_pairs(
    split: str, pairs: pd.DataFrame, size: tuple[int, int], backgrounds: bool = False
) -> tuple[People, Tensor, pd.DataFrame]:
    """The people of a split's pairs, the pairs as rows of them (P, 2), and the people's part of the sample table.

    Arguments and errors as of `read_people`.
    """
    table = samples.read(layout.samples(split))
    table = table[table["image"].isin(set(pairs["source"]) | set(pairs["target"]))].reset_index(drop=True)
    row_of = pd.Series(np.arange(len(table)), table["image"])
    rows = np.stack([row_of.loc[pairs["source"]], row_of.loc[pairs["target"]]], 1)
    return read_people(table, size, backgrounds), torch.from_numpy(rows), table
