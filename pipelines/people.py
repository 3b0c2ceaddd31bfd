"""Loading images with their poses, and pairs of images, for the stages that train and use generators."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from augment.data.people import People
from augment.data.tuples import Tuples
from augment.methods import Method, Needs
from augment.plans.redraw import further_sources, tuples_of
from augment.poses import table as pose_table
from pipelines import layout
from reid.common.errors import InputError
from reid.files import samples
from reid.files.images import Archive, background_name, load


def read_people(table: pd.DataFrame, size: tuple[int, int], needs: Needs | None = None) -> People:
    """Read the images of a sample table, resized to (H, W), with their poses in pixels of that size.

    Args:
        table: sample table of N images.
        size: (H, W).
        needs: of the method: whether to read each image's background too, from `backgrounds/` beside its folder.

    Raises:
        InputError: an image has no pose, or no background where one is needed.
    """
    images = load(table["archive"], table["image"], size)
    poses = pose_table.read(layout.poses(), list(table["image"]), size)
    identities = torch.from_numpy(table["identity"].to_numpy(copy=True))
    needs = needs or Needs()
    if not needs.background:
        return People(images, poses, identities=identities)
    names = table["image"].map(background_name)
    for path in sorted(table["archive"].unique()):
        with Archive(path) as archive:
            present = set(archive.names())
        own = set(names[table["archive"] == path])
        missing = sorted(own - present)
        if len(missing) == len(own) and needs.background_optional:
            return People(images, poses, identities=identities)
        if missing:
            raise InputError(
                f"{path} has no background of {len(missing):,} of {len(table):,} images, e.g. {missing[0]}: rendered "
                "sets (`python -m pipelines render`) and PRW (`python -m pipelines import-prw`) have backgrounds"
            )
    return People(images, poses, load(table["archive"], names, size), identities)


def read_pairs(
    split: str, pairs: pd.DataFrame, size: tuple[int, int], needs: Needs | None = None
) -> tuple[People, pd.DataFrame]:
    """Read the images that are in some pairs of a split.

    Args:
        split: `train` or `gallery`.
        pairs: columns source and target: names of images.
        size: (H, W).
        needs: of the method; for one that takes several sources, all images of these people are read.

    Returns:
        N images in the order of the split's sample table, and their N entries of that table.

    Raises:
        InputError: as `read_people`.
    """
    needs = needs or Needs()
    table = samples.read(layout.samples(split))
    named = table["image"].isin(set(pairs["source"]) | set(pairs["target"]))
    if needs.sources > 1:
        named = table["identity"].isin(table.loc[named, "identity"])
    table = table[named].reset_index(drop=True)
    return read_people(table, size, needs), table


def places(pairs: pd.DataFrame, table: pd.DataFrame) -> Tensor:
    """Indices (P, 2) of the sources and targets of P pairs in a sample table."""
    index = pd.Series(np.arange(len(table)), table["image"])
    return torch.from_numpy(np.stack([index.loc[pairs["source"]], index.loc[pairs["target"]]], 1))


def usable_pairs(method: Method, pairs: pd.DataFrame, people: People, table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Select the pairs whose source and target a method can use.

    Args:
        method: that is to redraw the sources in the targets' poses.
        pairs: columns source and target: names of images.
        people: the images of the sample table, with poses.
        table: sample table.
        name: of the generator, for the message.

    Raises:
        InputError: there is no such pair.
    """
    source, target = (people.poses[indices] for indices in places(pairs, table).unbind(1))
    kept = pairs[(method.usable_source(source) & method.usable_target(target)).cpu().numpy()].reset_index(drop=True)
    if kept.empty:
        raise InputError(
            f"{name} can use none of the {len(pairs)} pairs that it is given of {layout.PAIRS}: it needs more joints "
            "than were found in any of them; look at data/poses/skeletons.png, take another pose.estimator or method"
        )
    return kept


def tuples_of_pairs(method: Method, pairs: pd.DataFrame, people: People, table: pd.DataFrame, seed: int) -> Tuples:
    """Make pairs the tuples that a method takes: with several sources, by further images of each source's person.

    Args:
        method: says how many sources it takes, and which images it can use as such.
        pairs: columns source and target: names of images.
        people: the images of the sample table, with poses.
        table: sample table.
        seed: of the choice of further sources.
    """
    usable = table[method.usable_source(people.poses).cpu().numpy()]
    count = method.needs.sources - 1
    further = further_sources(usable, pairs["source"], pairs["target"].to_numpy(), count, seed, "pairs")
    return tuples_of(pairs.assign(further_sources=further), "target", table["image"], method.needs.sources)
