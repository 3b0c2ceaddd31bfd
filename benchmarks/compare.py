"""Timing two versions in turn, in one process: quote the ratio, machines differ."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def compare(title: str, ours: Callable[[], object], other: Callable[[], object], rounds: int = 7) -> None:
    """Print the median seconds of both and the median of the paired ratios other / ours."""
    ours(), other()
    mine, theirs = [], []
    for _ in range(rounds):
        for version, seconds in ((ours, mine), (other, theirs)):
            start = time.perf_counter()
            version()
            seconds.append(time.perf_counter() - start)
    ratio = statistics.median(b / a for a, b in zip(mine, theirs, strict=True))
    ms = [1000 * statistics.median(seconds) for seconds in (mine, theirs)]
    print(f"{title:58} {ms[0]:9.1f} ms {ms[1]:9.1f} ms   {ratio:6.1f} times faster", flush=True)
