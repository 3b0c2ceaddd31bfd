"""The console output of a stage: a line when it starts, and one when it is done."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

DURATIONS = Path(".scratch/durations.tsv")  # of the stages that DVC has run here: name and seconds, a line each
Say = Callable[[str], None]  # adds a result to the line at the end


def plain(text: str) -> str:
    """The text without what would steer a terminal: names of files may have anything in them."""
    return "".join(one if one.isprintable() or one in "\n\t" else repr(one)[1:-1] for one in text)


@contextmanager
def stage(name: str, does: str) -> Iterator[Say]:
    """Print what a stage does; at its end, how long it took, and its results.

    Args:
        name: of the stage, with what it works on.
        does: what it does, for the line at the start.

    Yields:
        a function that adds a text to the line at the end.
    """
    click.echo(f"[{name}] {does}")
    start = time.monotonic()
    results = list[str]()
    try:
        yield results.append
    except KeyboardInterrupt:
        click.echo(f"[{name}] interrupted: run the same command again; it goes on from what it had saved, if anything")
        raise
    seconds = round(time.monotonic() - start)
    click.echo(plain(f"[{name}] done in {took(seconds)}: {'; '.join(results)}"))
    if "DVC_STAGE" in os.environ:
        with suppress(OSError):  # what the stage has made is complete
            DURATIONS.parent.mkdir(exist_ok=True)
            with DURATIONS.open("a", encoding="utf-8") as log:
                log.write(f"{name}\t{seconds}\n")


def took(seconds: int) -> str:
    """A duration in words.

    Example:
        >>> took(119), took(120)
        ('119 s', '2 min 0 s')
    """
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min {seconds % 60} s"
