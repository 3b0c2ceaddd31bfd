"""Plans: which images enlarge a training set to alpha times its size.

A plan is a function

    plan(table, alpha, seed, origin, archive) -> sample table of the new images

of the sample table of the real training images. It says whom each new image shows and what it is made from; it makes no
image. Entries with a source and a target pose are for a method (`augment.generation`), those of a rendering for the
renderer (`augment.plans.rendering.render`). `redraw` is told by keywords, besides, which images its method can use.
The set for alpha = 2 is the first draw of the set for alpha = 10.
"""

from collections.abc import Callable

import pandas as pd

from reid.common.errors import InputError

NEWCOMERS = 100_000  # new people of draw 1 have numbers above this one, those of draw 2 above twice it, and so on
Plan = Callable[[pd.DataFrame, int, int, str, str], pd.DataFrame]


def check_alpha(alpha: int) -> None:
    """Raise InputError for an alpha below 2, which adds no image."""
    if alpha < 2:
        raise InputError(
            f"alpha must be at least 2, got {alpha}: alpha = 1 is the real training set without augmentation"
        )


def check_newcomers(table: pd.DataFrame) -> None:
    """Raise InputError where real people of a sample table have numbers that new people get."""
    if (most := int(table["identity"].max())) > NEWCOMERS:
        raise InputError(
            f"a training person has the number {most}; new people get those above {NEWCOMERS}, and would be mixed up "
            "with the real ones: number the real people from 1"
        )
