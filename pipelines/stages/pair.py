"""Pair images of the same person: one is redrawn in the other's pose, to train and to test generators."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from augment.data.pairs import all_pairs, sample_pairs
from augment.poses import table as pose_table
from pipelines import layout
from pipelines.console import stage
from pipelines.params import PairsParams
from reid.common import atomic
from reid.common.errors import InputError
from reid.files import samples
from reid.randomness.seeds import seed_for

MAY_HOLD = tuple(layout.pairs(which).name for which in ("train", "test", "shown"))
SHOWN = 12  # test pairs on the sheets that generators draw while they train


def run(pairs: PairsParams, seed: int, size: tuple[int, int]) -> None:
    """Write `data/pairs/{train,test,shown}.parquet`: columns identity, source, target (names of images).

    `test` are at most `pairs.test` of the test people's pairs, in random order; `shown` are a few more for sheets.

    Args:
        pairs: its section of params.yaml.
        seed: of the choice among the test pairs.
        size: (H, W) that images are held at.

    Raises:
        InputError: a split has no pair at all.
    """
    does = "pair images of the same person that show both shoulders and hips"
    with stage("pair", does) as say, atomic.replacing_folder(layout.PAIRS, MAY_HOLD) as folder:
        for split, source in (("train", "train"), ("test", "gallery")):
            table = samples.read(layout.samples(source))
            people = table[table["identity"] > samples.DISTRACTOR].reset_index(drop=True)
            usable = pose_table.read(layout.poses(), list(people["image"]), size).has_torso().numpy()
            possible = all_pairs(people, usable)
            if not people["identity"].duplicated().any():
                raise InputError(
                    f"{split}: no person has two images in {source}, and generators are "
                    f"{'trained' if split == 'train' else 'tested'} on pairs of them: give at least one "
                    "person another image"
                )
            if possible.empty:
                raise InputError(
                    f"{split}: no two images of one person show both shoulders and hips ({usable.sum()} of "
                    f"{len(people)} images do): look at {layout.POSES / 'skeletons.png'}, or use another pose.estimator"
                )
            chosen = possible if split == "train" else _choose(possible, pairs.test, seed, folder)
            samples.write_parquet(chosen, folder / layout.pairs(split).name)
            without_torso = len(people) - int(usable.sum())
            without_pair = people["identity"].nunique() - possible["identity"].nunique()
            say(
                f"{split}: {len(chosen):,} pairs of {chosen['identity'].nunique():,} people; left out: "
                f"{without_torso:,} images that do not show both shoulders and hips, {without_pair:,} people "
                "without two images that do"
            )


def _choose(possible: pd.DataFrame, count: int, seed: int, folder: Path) -> pd.DataFrame:
    """Choose at most `count` test pairs; writes those of the sheets into the folder, too."""
    shown = sample_pairs(possible, SHOWN, seed_for(seed, "shown pairs")).sort_values(["source", "target"])
    samples.write_parquet(shown, folder / layout.pairs("shown").name)
    return sample_pairs(possible, count, seed_for(seed, "test pairs"))
