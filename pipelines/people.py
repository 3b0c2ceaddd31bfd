"""Loading what the generator stages work on."""

from __future__ import annotations

import pandas as pd

from augment.people import People
from augment.poses import table as pose_table
from pipelines import layout
from reid.images import load


def read_people(table: pd.DataFrame, size: tuple[int, int]) -> People:
    """Images of a sample table, resized to (H, W), with their poses in pixels of that size."""
    images = load(table["archive"], table["image"], size)
    return People(images, pose_table.read(layout.poses(), list(table["image"]), size))
