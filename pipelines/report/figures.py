"""Figures of generators' scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipelines.report.colours import colour
from reid.pictures.figures import save

AGAINST_SOURCES = {
    "ssim": "SSIM",
    "mask_ssim": "mask-SSIM",
    "mask_is": "mask-IS",
    "identity_rank1": "identity Rank-1 (%)",
    "fd": "FD (lower is better)",
}


def noise(scores: pd.DataFrame, name: str, title: str, path: Path) -> None:
    """mask-SSIM and mask-IS against the standard deviation of the noise on the source poses (Fig. 11).

    Args:
        scores: columns sigma (pixels), mask_ssim and, where it was measured, mask_is.
        name: of the generator.
        title: what was scored.
        path: of the PNG.
    """
    figure = Figure(figsize=(9, 4), layout="constrained")
    shown = {key: label for key, label in (("mask_ssim", "mask-SSIM"), ("mask_is", "mask-IS")) if key in scores}
    for axes, (key, label) in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown.items(), strict=True):
        values = scores[key]
        axes.plot(scores["sigma"], values, "o-", color=colour(name))
        middle, half = values.mean(), max(0.1 * values.mean(), 0.6 * (values.max() - values.min()))
        axes.set(xlabel="noise on the source pose (pixels)", title=label, ylim=(middle - half, middle + half))
        axes.grid(alpha=0.3)
    figure.suptitle(title)
    save(figure, path, dpi=150)


def sources(scores: pd.DataFrame, name: str, title: str, path: Path) -> None:
    """Scores against the number of sources: the mean over choices of them, and the range.

    Args:
        scores: columns sources, and those of AGAINST_SOURCES that were measured; a line for each choice.
        name: of the generator.
        title: what was scored.
        path: of the PNG.
    """
    shown = [key for key in AGAINST_SOURCES if key in scores]
    figure = Figure(figsize=(3.6 * len(shown), 4), layout="constrained")
    for axes, key in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        by_count = scores.groupby("sources")[key]
        axes.plot(by_count.mean(), "o-", color=colour(name))
        axes.fill_between(by_count.min().index, by_count.min(), by_count.max(), color=colour(name), alpha=0.25)
        axes.set(xlabel="sources", title=AGAINST_SOURCES[key], xticks=list(by_count.groups))
        axes.grid(alpha=0.3)
    figure.suptitle(title)
    save(figure, path)


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
            axes.plot(lines["minutes"], lines[key], "o-", label=name, color=colour(str(name)))
        axes.set(xlabel="minutes of training", title=CURVES[key])
        axes.grid(alpha=0.3)
        axes.legend()
    save(figure, path, dpi=150)


ROUNDS = {
    ("rank1", "mAP"): "test set (%)",
    ("agreement", "truth"): "clusters: adjusted Rand index",
    ("reliable",): "reliable images",
}
AGAINST = {"agreement": "with the round before", "truth": "with the people", "rank1": "Rank-1", "mAP": "mAP"}


def rounds(scores: pd.DataFrame, title: str, path: Path) -> None:
    """Scores of a network, and measures of its clusters, against the rounds of training without labels.

    Args:
        scores: columns round and those of ROUNDS.
        title: what was scored.
        path: of the PNG.
    """
    figure = Figure(figsize=(4 * len(ROUNDS), 4), layout="constrained")
    for axes, (keys, name) in zip(figure.subplots(1, len(ROUNDS)), ROUNDS.items(), strict=True):
        for key in keys:
            axes.plot(scores["round"], scores[key], "o-", label=AGAINST.get(key))
        axes.set(xlabel="round", title=name)
        axes.grid(alpha=0.3)
        if len(keys) > 1:
            axes.legend()
    figure.suptitle(title)
    save(figure, path)


SHOWN_LIMBS = ("neck to nose", "neck to right_shoulder", "right_elbow to right_wrist", "right_hip to right_knee")


def invented(
    distances: Mapping[str, NDArray[np.float64]],
    lengths: Mapping[str, Mapping[str, NDArray[np.float64]]],
    title: str,
    path: Path,
) -> None:
    """Histograms: of distances to the nearest real image, and of the lengths of some limbs.

    Args:
        distances: whose -> (N,) distances of features; NaN where there is none.
        lengths: which poses -> limb -> (n,) pixels.
        title: what was measured.
        path: of the PNG.
    """
    figure = Figure(figsize=(3.6 * (1 + len(SHOWN_LIMBS)), 4), layout="constrained")
    first, *others = figure.subplots(1, 1 + len(SHOWN_LIMBS))
    for whose, values in distances.items():
        first.hist(values[np.isfinite(values)], bins=40, density=True, histtype="step", label=whose)
    first.set(title="distance to the nearest real image")
    first.legend(fontsize="small")
    for axes, limb in zip(others, SHOWN_LIMBS, strict=True):
        own = {which: of_limbs[limb] for which, of_limbs in lengths.items()}
        bins = np.linspace(0, max(np.quantile(pixels, 0.99) if len(pixels) else 1.0 for pixels in own.values()), 30)
        for which, pixels in own.items():
            axes.hist(pixels, bins=bins, density=True, histtype="step", label=which)
        axes.set(title=limb, xlabel="pixels")
    others[0].legend(fontsize="small")
    figure.suptitle(title)
    save(figure, path)


def swept(scores: pd.DataFrame, key: str, path: Path) -> None:
    """Rank-1 and mAP of each row against the values of a parameter, and what each row gains over `real`.

    The values stand at equal distances, whatever they are.

    Args:
        scores: columns value, row, network, distance, score, mean, gain, low and high, in per cent.
        key: the parameter.
        path: of the PNG.
    """
    panels = list(scores.groupby(["network", "distance", "score"], sort=False))
    places = {value: place for place, value in enumerate(scores["value"].unique())}
    figure = Figure(figsize=(4.2 * len(panels), 7), layout="constrained")
    grid = figure.subplots(2, len(panels), sharex=True, squeeze=False)
    for (above, below), ((network, distance, score), of_panel) in zip(grid.T, panels, strict=True):
        for shift, (row, lines) in enumerate(of_panel.groupby("row", sort=False)):
            x = lines["value"].map(places)
            above.plot(x, lines["mean"], "o-", label=row, color=colour(str(row)))
            if lines["gain"].notna().any():
                bounds = [lines["gain"] - lines["low"], lines["high"] - lines["gain"]]
                below.errorbar(
                    x + 0.05 * (shift - 1), lines["gain"], bounds, fmt="o-", capsize=3, color=colour(str(row))
                )
        above.set(title=f"{network} + {distance}: {score}", ylabel="per cent")
        below.set(xlabel=f"{key} (not to scale)", ylabel="gain over real (points)")
        below.set(xticks=range(len(places)), xticklabels=list(places))
        below.axhline(0, color="black", linewidth=1)
        for axes in (above, below):
            axes.grid(alpha=0.3)
    grid[0][0].legend()
    save(figure, path)
