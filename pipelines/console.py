"""What a stage says: a line when it starts, a line when it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Say = Callable[[str], None]


@contextmanager
def stage(name: str, does: str) -> Iterator[Say]:
    """Print what a stage does, then how long it took and what it said; where it is interrupted, that it can go on."""
    click.echo(f"[{name}] {does}")
    start = time.monotonic()
    said = list[str]()

    def say(text: str) -> None:
        said.append(text)

    try:
        yield say
    except KeyboardInterrupt:
        click.echo(f"[{name}] interrupted; what is done is kept, the same command goes on")
        raise
    seconds = time.monotonic() - start
    took = f"{seconds:.0f} s" if seconds < 120 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    click.echo(f"[{name}] done in {took}: {'; '.join(said)}")
