"""Figures of the Re-ID table: CMC curves, Rank-1 and mAP against alpha, gains with intervals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pipelines.params import Params
from pipelines.report.colours import colour
from pipelines.report.gains import SCORES, Compared
from pipelines.report.page import Illustration
from pipelines.report.results import Metrics, Results, distances
from reid.files.samples import REAL
from reid.pictures.figures import save

CMC_RANKS = 15  # shown


def draw(params: Params, results: Results, metrics: Metrics, folder: Path) -> list[Illustration]:
    """Draw both figures into a folder.

    Args:
        params: the parameters of the run.
        results: of `pipelines.report.results.read_results`.
        metrics: of `pipelines.report.results.metrics`.
        folder: of the PNGs.
    """
    rule = params.report.average_precision
    curves = Illustration(
        "CMC",
        f"Share of queries with an image of their person among the first k gallery images, k from 1 to {CMC_RANKS}; "
        "with several seeds, the mean and, shaded, the range.",
        folder / "cmc.png",
    )
    over_alpha = Illustration(
        "Against alpha",
        f"Rank-1 and mAP (by the {rule} rule) against the size of the training set, alpha times that of the real one "
        "(alpha = 1); with several seeds, bars are standard deviations.",
        folder / "alpha.png",
    )
    cmc(results, curves.path)
    key = {"trapezoid": "mAP", "step": "mAP_step"}[rule]
    against_alpha(metrics, params.augmentations, params.alphas, key, over_alpha.path)
    return [curves, over_alpha]


def draw_gains(lines: list[Compared], folder: Path) -> Illustration:
    """Draw the gains of all rows over `real`, with their intervals, into a folder."""
    shown = Illustration(
        "Gains",
        "What each augmentation adds to the real training set, with 95 % intervals over seeds and people.",
        folder / "gains.png",
    )
    gains(lines, shown.path)
    return shown


def gains(lines: list[Compared], path: Path) -> None:
    """Gains over `real`, a panel for each score, network and distance, a line for each row; others are not shown.

    Args:
        lines: of `pipelines.report.gains.compare_rows`; one over `real` at least.
        path: of the PNG.
    """
    lines = [line for line in lines if line.over_row == REAL]
    panels = list(dict.fromkeys((line.network, line.distance) for line in lines))
    rows = list(dict.fromkeys(line.row for line in lines))
    figure = Figure(figsize=(3.6 * len(panels) + 1, 2 * (0.35 * len(rows) + 1)), layout="constrained")
    grid = figure.subplots(2, len(panels), sharex=True, sharey=True, squeeze=False)
    for all_axes, score in zip(grid, SCORES, strict=True):
        for axes, panel in zip(all_axes, panels, strict=True):
            own = {
                line.row: line.gain for line in lines if (line.network, line.distance, line.score) == (*panel, score)
            }
            for row, (mean, low, high) in own.items():
                place = rows.index(row)
                bounds = [[100 * (mean - low)], [100 * (high - mean)]]
                axes.errorbar(100 * mean, place, xerr=bounds, fmt="o", capsize=3, color=colour(row))
            axes.axvline(0, color="black", linewidth=1)
            axes.set(yticks=range(len(rows)), yticklabels=rows, title=f"{' + '.join(panel)}: {score}")
            axes.grid(alpha=0.3)
    grid[0][0].invert_yaxis()
    for axes in grid[1]:
        axes.set_xlabel("gain over real (points)")
    save(figure, path)


def cmc(results: Results, path: Path) -> None:
    """CMC curves up to CMC_RANKS, a panel for each network and distance, a line for each row; mean, range over seeds.

    Args:
        results: of `pipelines.report.results.read_results`.
        path: of the PNG.
    """
    panels = [(network, name) for network, seeds in results[REAL].items() for name in distances(seeds)]
    figure = Figure(figsize=(4.2 * len(panels), 4), layout="constrained")
    all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (network, name) in zip(all_axes, panels, strict=True):
        for row, networks in results.items():
            curves = np.array([result.file["distances"][name]["cmc"][:CMC_RANKS] for result in networks[network]])
            ranks = range(1, curves.shape[1] + 1)
            axes.plot(ranks, curves.mean(0), label=row, color=colour(row))
            axes.fill_between(ranks, curves.min(0), curves.max(0), color=colour(row), alpha=0.15, linewidth=0)
        axes.set(xlabel="rank", title=f"{network} + {name}", xlim=(1, CMC_RANKS), xticks=range(1, CMC_RANKS + 1))
        axes.grid(alpha=0.3)
    all_axes[0].set_ylabel("queries found up to this rank (%)")
    all_axes[-1].legend(loc="lower right")
    save(figure, path)


def against_alpha(metrics: Metrics, augmentations: list[str], alphas: list[int], key: str, path: Path) -> None:
    """Rank-1 and mAP against alpha, a line for each augmentation; bars are standard deviations over seeds.

    Args:
        metrics: of `pipelines.report.results.metrics`; `real` is alpha = 1.
        augmentations: names of generators, renderings and selections.
        alphas: sizes of the enlarged training sets, from 2.
        key: which mAP: `mAP` (trapezoid) or `mAP_step`.
        path: of the PNG.
    """
    panels = [(network, name) for network, distances in metrics[REAL].items() for name in distances]
    figure = Figure(figsize=(4.2 * len(panels), 6.5), layout="constrained")
    grid = figure.subplots(2, len(panels), sharex=True, sharey="row", squeeze=False)
    places = [1, *sorted(alphas)]
    for line, score, title in zip(grid, ("rank1", key), ("Rank-1 (%)", "mAP (%)"), strict=True):
        line[0].set_ylabel(title)
        for axes, (network, name) in zip(line, panels, strict=True):
            for augmentation in augmentations:
                rows = [REAL, *(f"{augmentation}-a{alpha}" for alpha in sorted(alphas))]
                values = [metrics[row][network][name] for row in rows]
                means, deviations = [v[score] for v in values], [v.get(f"{score}_std", 0.0) for v in values]
                of_it = {"label": augmentation, "color": colour(augmentation)}
                axes.errorbar(places, means, deviations, fmt="o-", capsize=3, **of_it)
            axes.set(xticks=places)
            axes.grid(alpha=0.3)
    for axes, (network, name) in zip(grid[0], panels, strict=True):
        axes.set_title(f"{network} + {name}")
    for axes in grid[1]:
        axes.set_xlabel("alpha")
    grid[0][0].legend()
    save(figure, path)
