"""Pair images of the same person for training and testing generators."""

from __future__ import annotations

from augment.data.pairs import all_pairs, sample_pairs
from augment.poses import table as pose_table
from pipelines import layout
from pipelines.console import stage
from pipelines.params import PairsParams
from reid.common.errors import InputError
from reid.files import samples
from reid.randomness.seeds import seed_for

SHOWN = 12


def run(pairs: PairsParams, seed: int, size: tuple[int, int]) -> None:
    """Write `data/pairs/{train,test,shown}.parquet` (columns identity, source, target).

    `shown` are the few test pairs that generators draw while they train.

    Raises:
        InputError: a split has no pair at all.
    """
    with stage("pair", "pair images of the same person that show both shoulders and hips") as say:
        layout.PAIRS.mkdir(parents=True, exist_ok=True)
        for split, source in (("train", "train"), ("test", "gallery")):
            table = samples.read(layout.samples(source))
            people = table[table["identity"] > samples.DISTRACTOR].reset_index(drop=True)
            usable = pose_table.read(layout.poses(), list(people["image"]), size).has_torso().numpy()
            found = all_pairs(people, usable)
            if found.empty:
                raise InputError(
                    f"{split}: no two images of one person show both shoulders and hips ({usable.sum()} of "
                    f"{len(people)} images do): look at {layout.POSES / 'skeletons.png'}, or use another pose.estimator"
                )
            alone = people["identity"].nunique() - found["identity"].nunique()
            left_out = len(people) - int(usable.sum())
            if split == "test":
                shown = sample_pairs(found, SHOWN, seed_for(seed, "shown pairs")).sort_values(["source", "target"])
                shown.to_parquet(layout.pairs("shown"), index=False)
                found = sample_pairs(found, pairs.test, seed_for(seed, "test pairs"))
            found.to_parquet(layout.pairs(split), index=False)
            say(
                f"{split}: {len(found):,} pairs of {found['identity'].nunique():,} people, "
                f"left out {left_out:,} images without torso and {alone:,} people without two images"
            )
