"""What the figures of curves show, as tables for `dvc plots`: columns panel, line, and what is drawn against what."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipelines.report.results import Results, distances
from reid.files.samples import REAL, write_tsv


def write(results: Results, of_generators: pd.DataFrame, of_networks: pd.DataFrame, folder: Path) -> None:
    """Write `cmc.tsv`, `generators.tsv` and `networks.tsv`; all are means over the seeds.

    Args:
        results: of `pipelines.report.results.read_results`.
        of_generators: losses, of `pipelines.report.losses.of_generators`.
        of_networks: losses, of `pipelines.report.losses.of_networks`.
        folder: to write to.
    """
    write_tsv(cmc(results), folder / "cmc.tsv", "%.2f")
    generators = of_generators.assign(
        panel=of_generators["generator"] + ": " + of_generators["loss"], line=of_generators["phase"]
    )
    write_tsv(generators[["panel", "line", "iteration", "value"]], folder / "generators.tsv", "%.5g")
    networks = of_networks.rename(columns={"network": "panel", "row": "line"})
    networks = networks.groupby(["panel", "line", "iteration"], sort=False)["loss"].mean().reset_index()
    write_tsv(networks, folder / "networks.tsv", "%.5g")


def cmc(results: Results) -> pd.DataFrame:
    """CMC curves: columns panel (network and distance), line (row), rank from 1, found (per cent)."""
    lines = []
    for network, seeds in results[REAL].items():
        for distance in distances(seeds):
            for row, networks in results.items():
                curves = pd.DataFrame([result.file["distances"][distance]["cmc"] for result in networks[network]])
                lines += [(f"{network} + {distance}", row, rank, found) for rank, found in enumerate(curves.mean(), 1)]
    return pd.DataFrame(lines, columns=["panel", "line", "rank", "found"])
