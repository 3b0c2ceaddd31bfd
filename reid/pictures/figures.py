"""Figures as files that are there only when they are whole."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from reid.common import atomic


def save(figure: Figure, path: Path, dpi: int = 110) -> None:
    """Write a figure, in the format of the path's suffix, with so many dots an inch."""
    with atomic.replacing(path) as new:
        figure.savefig(new, dpi=dpi)
