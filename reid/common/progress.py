"""Progress bars on a terminal, and a line now and then in a log."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")
LOG_SECONDS = 30  # between two lines where nobody watches


def progress(items: Iterable[T], title: str, unit: str, total: int | None = None, initial: int = 0) -> Iterable[T]:
    """The items, with a bar on standard error.

    Args:
        items: what is worked through.
        title: what the work is.
        unit: of one item, e.g. `it`.
        total: number of items from the very beginning, where `items` does not know it.
        initial: how many were done before, in an earlier run.
    """
    watched = sys.stderr.isatty()
    return tqdm(
        items,
        title,
        total=total,
        initial=initial,
        unit=unit,
        mininterval=0.5 if watched else LOG_SECONDS,
        maxinterval=10 if watched else LOG_SECONDS,
        ascii=not watched,
        ncols=None if watched else 80,
    )
