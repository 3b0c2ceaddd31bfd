"""Render a Re-ID data set like `streets`."""

from __future__ import annotations

from pathlib import Path

from augment.streets.studio import render
from pipelines.console import stage


def run(identities: int, seed: int, out: Path, processes: int, backgrounds: bool) -> None:
    """Write a rendered data set to `out`, a folder or a `.zip`; see `augment.streets.studio.render`."""
    with stage("render", f"{identities:,} identities, seed {seed}, {processes} processes") as say:
        images = render(identities, seed, out, processes, backgrounds)
        say(f"{images:,} images: {out}")
