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

Plan = Callable[[pd.DataFrame, int, int, str, str], pd.DataFrame]


def check_alpha(alpha: int) -> None:
    """Raise InputError for an alpha below 2, which adds no image."""
    if alpha < 2:
        raise InputError(
            f"alpha must be at least 2, got {alpha}: alpha = 1 is the real training set without augmentation"
        )
