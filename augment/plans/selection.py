"""Choosing the best of several new images of each real one."""

from __future__ import annotations

from typing import Literal

import pandas as pd

By = Literal["identity_rank", "margin", "detection"]
RISING = {"identity_rank": True, "margin": False, "detection": False}  # whether small values are good ones


def best(judged: pd.DataFrame, by: By, count: int) -> pd.Series:
    """Which new images are among the best of their source, (N,) of bool.

    Args:
        judged: of N new images; columns source, draw, identity_rank (from 1; 0: unknown), margin and detection.
        by: what decides; of equal ones the earlier draw is taken, and an unknown value is the worst.
        count: how many are taken of each source; fewer where there are fewer.

    Example:
        >>> columns = {"source": ["a", "a", "b"], "draw": [1, 2, 1], "margin": [0.1, 0.3, -0.2]}
        >>> best(pd.DataFrame(columns), "margin", 1).tolist()
        [False, True, True]
    """
    value = judged[by].astype("float64")
    if by == "identity_rank":
        value = value.where(value > 0)
    ordered = judged.assign(value=value).sort_values(["value", "draw"], ascending=[RISING[by], True], kind="stable")
    return ordered.groupby("source").cumcount().reindex(judged.index) < count
