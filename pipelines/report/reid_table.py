"""The Re-ID table: Rank-1 and mAP of each training set, and the published numbers beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from pipelines.report.gains import Compared, in_text
from pipelines.report.published import TABLE_4
from pipelines.report.results import Metrics, Results
from reid.files.samples import REAL

GAIN = " gain"  # at the end of the title of a column: what stands there is the gain in the column before
LEVEL = 0.05  # p-values below it are marked as significant


class Cell(NamedTuple):
    """Where a value stands in the table."""

    row: str
    network: str
    distance: str
    score: str  # Rank-1 or mAP


def reid_table(
    results: Results,
    metrics: Metrics,
    compared: pd.DataFrame,
    average_precision: str,
    published: bool,
    gains: Sequence[Compared] = (),
) -> pd.DataFrame:
    """One line a training set; Rank-1 and mAP (per cent) for each network and distance, as text.

    With several seeds they are mean ± standard deviation. An asterisk marks what differs significantly from `real`.
    Beside each stands the gain over `real` where there are gains.

    Args:
        results: of `pipelines.report.results.read_results`.
        metrics: of `pipelines.report.results.metrics`.
        compared: of `pipelines.report.significance.significance`.
        average_precision: `trapezoid` or `step`: the rule of the mAP that is shown.
        published: whether to put the paper's numbers behind ours, in brackets.
        gains: of `pipelines.report.gains.compare_rows`.
    """
    over_real = {
        Cell(line.row, line.network, line.distance, line.score): in_text(line)
        for line in gains
        if line.over_row == REAL
    }
    keys = {"Rank-1": "rank1", "mAP": {"trapezoid": "mAP", "step": "mAP_step"}[average_precision]}
    marked = _significant(compared)
    lines = []
    for row, networks in metrics.items():
        trained_on = next(iter(results[row].values()))[0].file["trained_on"]
        line = {"training set": row, "images": f"{trained_on['images']:,}", "generated": f"{trained_on['generated']:,}"}
        for network, distances in networks.items():
            for distance, values in distances.items():
                for title, key in keys.items():
                    cell = Cell(row, network, distance, title)
                    paper = (
                        _published(cell) if published and key != "mAP_step" else ""
                    )  # the paper's is the trapezoid's
                    line[f"{network} + {distance}: {title}"] = _ours(values, key) + "*" * (cell in marked) + paper
                    if gains:
                        line[f"{network} + {distance}: {title}{GAIN}"] = over_real.get(cell, "")
        lines.append(line)
    return pd.DataFrame(lines)


def _significant(compared: pd.DataFrame) -> set[Cell]:
    """The cells that differ significantly from those of `real`."""
    significant = compared[(compared["other"] == REAL) & (compared["p"] < LEVEL)]
    return {Cell(*values) for values in zip(*(significant[field] for field in Cell._fields), strict=True)}


def _ours(values: dict[str, float], key: str) -> str:
    deviation = f"{key}_std"
    return f"{values[key]:.1f}" + (f" ± {values[deviation]:.1f}" if deviation in values else "")


def _published(cell: Cell) -> str:
    pair = TABLE_4.get((cell.row, cell.network, cell.distance))
    return f" ({pair[0 if cell.score == 'Rank-1' else 1]:.1f})" if pair else ""
