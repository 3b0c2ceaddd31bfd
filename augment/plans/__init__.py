"""Plans: which images enlarge a training set to alpha times its size.

A plan is a function

    plan(table, alpha, seed, origin, archive) -> sample table of the new images

of the sample table of the real training images. It says of each new image whom it shows and what it is made from, and
makes none: rows with sources and a target pose are for a method (`augment.generation`), rows of the renderer's for it
(`augment.plans.rendering.render`). The set for alpha = 2 is the first draw of the set for alpha = 10.
"""

from collections.abc import Callable

import pandas as pd

from reid.common.errors import InputError

Plan = Callable[[pd.DataFrame, int, int, str, str], pd.DataFrame]


def check_alpha(alpha: int) -> None:
    """Raise InputError for an alpha that is no augmentation."""
    if alpha < 2:
        raise InputError(
            f"alpha must be at least 2, got {alpha}: alpha = 1 is the real training set without augmentation"
        )
