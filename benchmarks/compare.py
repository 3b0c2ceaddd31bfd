"""What the benchmarks share: timing two versions in turn, in one process, and their command line."""

from __future__ import annotations

import inspect
import statistics
import sys
import time
from collections.abc import Callable

import click


def compare(title: str, ours: Callable[[], object], other: Callable[[], object], rounds: int) -> None:
    """Print the median milliseconds of both and the median of the paired ratios other / ours: machines differ."""
    ours(), other()
    mine, theirs = list[float](), list[float]()
    for _ in range(rounds):
        for version, seconds in ((ours, mine), (other, theirs)):
            start = time.perf_counter()
            version()
            seconds.append(time.perf_counter() - start)
    ratio = statistics.median(b / a for a, b in zip(mine, theirs, strict=True))
    ms = [1000 * statistics.median(seconds) for seconds in (mine, theirs)]
    print(f"{title:58} {ms[0]:9.1f} ms {ms[1]:9.1f} ms   {ratio:6.3g} times as fast", flush=True)


def command(main: Callable[..., None]) -> click.Command:
    """A benchmark on the command line: an option for each argument of its `main`, of its default's type."""
    options = [
        click.Option([f"--{name}"], type=type(argument.default), default=argument.default, show_default=True)
        for name, argument in inspect.signature(main).parameters.items()
    ]
    return click.Command("main", callback=main, params=list(options), help=sys.modules[main.__module__].__doc__)
