"""Losses of trainings, against iterations, as the stages that train have logged them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipelines import layout
from pipelines.params import Params
from pipelines.report.colours import colour
from pipelines.report.results import read_table
from reid.pictures.figures import save

LOG = "losses.tsv"  # in the folder of a generator or a Re-ID network
COLUMNS = 4  # panels side by side
KEYS = ("phase", "iteration")  # columns of a generator's log that are no losses


def of_generators(params: Params) -> pd.DataFrame:
    """The losses of the generators that there are logs of: columns generator, phase, loss, iteration, value."""
    logs = []
    for name in params.trained:
        path = layout.gan(name) / LOG
        if path.exists():
            log = read_table(path).melt(KEYS, var_name="loss").dropna()  # a phase has some of the losses
            logs.append(log.assign(generator=name))
    columns = ["generator", "phase", "loss", "iteration", "value"]
    return pd.concat(logs, ignore_index=True)[columns] if logs else pd.DataFrame(columns=columns)


def of_networks(params: Params, rows: list[str]) -> pd.DataFrame:
    """The losses of the Re-ID networks that there are logs of: columns network, row, seed, iteration, loss."""
    logs = []
    for network in params.networks:
        for row in rows:
            for seed in params.seeds:
                path = layout.reid(row, network, seed) / LOG
                if path.exists():
                    logs.append(read_table(path).assign(network=network, row=row, seed=seed))
    columns = ["network", "row", "seed", "iteration", "loss"]
    return pd.concat(logs, ignore_index=True)[columns] if logs else pd.DataFrame(columns=columns)


def draw_generator(losses: pd.DataFrame, name: str, path: Path) -> None:
    """Draw the losses of one generator, a panel for each phase and loss.

    Args:
        losses: of `of_generators`.
        name: of the generator.
        path: of the PNG.
    """

    def panel(axes: Axes, log: pd.DataFrame) -> None:
        axes.plot(log["iteration"], log["value"], color=colour(name))

    _panels(losses[losses["generator"] == name], ["phase", "loss"], panel, path)


def draw_networks(losses: pd.DataFrame, path: Path) -> None:
    """Draw the losses of Re-ID networks, a panel for each network, a line for each row: mean and range over seeds.

    Args:
        losses: of `of_networks`.
        path: of the PNG.
    """

    def panel(axes: Axes, log: pd.DataFrame) -> None:
        for row, of_row in log.groupby("row", sort=False):
            by_iteration = of_row.groupby("iteration")["loss"]
            low, high = by_iteration.min(), by_iteration.max()
            axes.plot(by_iteration.mean(), label=row, color=colour(str(row)))
            axes.fill_between(low.index, low, high, color=colour(str(row)), alpha=0.15, linewidth=0)
        axes.legend()

    _panels(losses, ["network"], panel, path)


def _panels(losses: pd.DataFrame, keys: list[str], draw: Callable[[Axes, pd.DataFrame], None], path: Path) -> None:
    """Draw each group of lines that are alike in some columns into a panel of its own."""
    groups = list(losses.groupby(keys, sort=False))
    columns = min(COLUMNS, len(groups))
    lines = -(-len(groups) // columns)
    figure = Figure(figsize=(4.2 * columns, 3.4 * lines), layout="constrained")
    all_axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, (names, log) in zip(all_axes, groups, strict=False):
        axes.set(xlabel="iteration", title=", ".join(map(str, names)))
        axes.grid(alpha=0.3)
        draw(axes, log)
    for axes in all_axes[len(groups) :]:
        axes.remove()
    save(figure, path)
