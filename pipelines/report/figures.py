"""Figures of generators' scores."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure


def noise(scores: pd.DataFrame, title: str, path: Path) -> None:
    """mask-SSIM and mask-IS against the standard deviation of the noise on the source poses (Fig. 11).

    Args:
        scores: columns sigma (pixels), mask_ssim and, where it was measured, mask_is.
        title: what was scored.
        path: of the PNG.
    """
    figure = Figure(figsize=(9, 4), layout="constrained")
    shown = {key: name for key, name in (("mask_ssim", "mask-SSIM"), ("mask_is", "mask-IS")) if key in scores}
    for axes, (key, name) in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown.items(), strict=True):
        values = scores[key]
        axes.plot(scores["sigma"], values, "o-")
        middle, half = values.mean(), max(0.1 * values.mean(), 0.6 * (values.max() - values.min()))
        axes.set(xlabel="noise on the source pose (pixels)", title=name, ylim=(middle - half, middle + half))
        axes.grid(alpha=0.3)
    figure.suptitle(title)
    figure.savefig(path, dpi=150)


CURVES = {
    "identity_rank1": "identity Rank-1 (%)",
    "fd": "FD (lower is better)",
    "ds": "DS",
    "l1": "L1 (lower is better)",
}


def curves(scores: pd.DataFrame, path: Path) -> None:
    """Scores of generators against the minutes that they were trained for.

    Args:
        scores: columns generator, minutes, and those of CURVES that were measured.
        path: of the PNG.
    """
    shown = [key for key in CURVES if key in scores]
    figure = Figure(figsize=(4 * len(shown), 4), layout="constrained")
    for axes, key in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        for name, lines in scores.groupby("generator", sort=False):
            axes.plot(lines["minutes"], lines[key], "o-", label=name)
        axes.set(xlabel="minutes of training", title=CURVES[key])
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=150)
