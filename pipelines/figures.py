"""The report's figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from pipelines.tables import Metrics
from reid.sheets import Picture, framed, sheet

HIT, MISS, QUERY = (30, 160, 60), (210, 40, 40), (60, 60, 60)  # colours of frames


def cmc(scores: dict[str, dict[str, Any]], path: Path) -> None:
    """CMC curves of all rows, networks and distances.

    Args:
        scores: row -> network -> content of its score file.
        path: of the PNG.
    """
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for row, networks in scores.items():
        for network, file in networks.items():
            for name, score in file["distances"].items():
                curve = score["cmc"]
                axes.plot(range(1, len(curve) + 1), curve, label=f"{row}, {network} + {name}")
    axes.set(xlabel="rank", ylabel="queries found up to this rank (%)", title="CMC, single query")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=150)


def against_alpha(metrics: Metrics, augmentations: list[str], alphas: list[int], key: str, path: Path) -> None:
    """Rank-1 and mAP against alpha, one line an augmentation, network and distance; alpha = 1 is the real set.

    Args:
        metrics: as in metrics.json.
        augmentations: names of generators and renderings.
        alphas: from 2.
        key: `mAP` or `mAP_step`.
        path: of the PNG.
    """
    figure = Figure(figsize=(9, 4), layout="constrained")
    both = figure.subplots(1, 2)
    for axes, score, title in zip(both, ("rank1", key), ("Rank-1 (%)", f"{key} (%)"), strict=True):
        for augmentation in augmentations:
            for network, distances in metrics["real"].items():
                for name in distances:
                    rows = ["real", *(f"{augmentation}-a{alpha}" for alpha in sorted(alphas))]
                    values = [metrics[row][network][name][score] for row in rows]
                    axes.plot([1, *sorted(alphas)], values, "o-", label=f"{augmentation}, {network} + {name}")
        axes.set(xlabel="alpha", title=title, xticks=[1, *sorted(alphas)])
        axes.grid(alpha=0.3)
    both[0].legend()
    figure.savefig(path, dpi=150)


def noise(found: pd.DataFrame, title: str, path: Path) -> None:
    """Scores against the noise on the source poses (Fig. 11).

    Args:
        found: columns sigma, mask_ssim and, where it was measured, mask_is.
        title: what was scored.
        path: of the PNG.
    """
    figure = Figure(figsize=(9, 4), layout="constrained")
    shown = {key: name for key, name in (("mask_ssim", "mask-SSIM"), ("mask_is", "mask-IS")) if key in found}
    for axes, (key, name) in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown.items(), strict=True):
        axes.plot(found["sigma"], found[key], "o-")
        middle, half = found[key].mean(), max(0.1 * found[key].mean(), 0.6 * (found[key].max() - found[key].min()))
        axes.set(xlabel="noise on the source pose (pixels)", title=name, ylim=(middle - half, middle + half))
        axes.grid(alpha=0.3)
    figure.suptitle(title)
    figure.savefig(path, dpi=150)


def rank_lists(lists: list[tuple[str, Picture, list[tuple[Picture, bool]]]], path: Path) -> None:
    """A sheet of queries, each with its nearest gallery images, framed green (same person) or red.

    Args:
        lists: row's name, query, and the gallery images with whether each is a hit.
        path: of the PNG.
    """
    rows = [
        (name, [framed(query, QUERY), *(framed(picture, HIT if hit else MISS) for picture, hit in found)])
        for name, query, found in lists
    ]
    sheet(
        rows, path, height=128, title="query (first), then its nearest gallery images; green: same person, red: another"
    )
