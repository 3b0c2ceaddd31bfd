"""Render a Re-ID data set."""

from __future__ import annotations

from pathlib import Path

from pipelines.console import stage
from reid.datasets.streets.studio import render


def run(identities: int, seed: int, out: Path, processes: int, backgrounds: bool) -> None:
    """Write a rendered data set to `out`, a folder or a `.zip`: see `reid.datasets.streets.studio.render`."""
    with stage("render", f"{identities:,} identities, seed {seed}, {processes} processes") as say:
        images = render(identities, seed, out, processes, backgrounds)
        say(f"{images:,} images: {out}")
