"""Gains against the values of a parameter, from scores that `gains --keep` wrote of each."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import pandas as pd

from pipelines import layout
from pipelines.commands.gains import as_results, read_kept
from pipelines.commands.sweep import COLUMNS
from pipelines.report import gains
from pipelines.report.figures import swept
from pipelines.report.results import Results, distances
from reid.common.errors import InputError
from reid.files.samples import write_tsv

ASKED = ["query", "person", "pooling", "image_size"]  # what has to be the same for all values


def run(key: str, pairs: Sequence[tuple[str, Path]], out: Path, rule: str) -> None:
    """Write OUT.tsv and OUT.png, as `sweep` does, of the rows and networks that all values have been measured with.

    Args:
        key: what the values are of, for the figure.
        pairs: each value, and the scores that `gains --keep` wrote of it; in the order of the figure.
        out: table and figure to write, without suffix.
        rule: `trapezoid` or `step`: which mAP.

    Raises:
        FileNotFoundError: a file has not the scores of the real images.
        InputError: a value comes twice, a file is none that `gains --keep` wrote, the values were not measured on the
            same queries and in the same way, or there is no row besides `real` that all have.
    """
    files = dict(pairs)
    if len(files) < len(pairs):
        raise InputError(f"a value comes twice: {', '.join(value for value, _ in pairs)}")
    tables = {value: read_kept(path) for value, path in files.items()}
    asked = {value: table[ASKED].astype(str).drop_duplicates() for value, table in tables.items()}
    first = next(iter(files))
    for value, its in asked.items():
        if set(its.itertuples(index=False)) != set(asked[first].itertuples(index=False)):
            raise InputError(
                f"{files[value]} was measured on other queries, or in another way, than {files[first]}: compare runs "
                "on one test set"
            )
    results = {value: as_results(table)[0] for value, table in tables.items()}
    shared = set.intersection(*({*_runs(found)} for found in results.values()))
    if not any(row != layout.REAL for row, _ in shared):
        raise InputError(f"no row besides {layout.REAL} that all have: {', '.join(map(str, files.values()))}")
    lines = []
    for value, found in results.items():
        people = dict(zip(tables[value]["query"], tables[value]["person"], strict=True))
        own: Results = {}
        for row, network in _runs(found):
            if (row, network) in shared:
                own.setdefault(row, {})[network] = found[row][network]
        lines.append(_scores(own, rule, people).assign(value=value))
    table = pd.concat(lines)[["value", *COLUMNS]]
    numbers, picture = (out.with_name(out.name + suffix) for suffix in (".tsv", ".png"))
    write_tsv(table, numbers, "%.4g")
    swept(table, key, picture)
    click.echo(f"{numbers}, {picture}")


def _runs(results: Results) -> list[tuple[str, str]]:
    return [(row, network) for row, networks in results.items() for network in networks]


def _scores(results: Results, rule: str, people: Mapping[str, int]) -> pd.DataFrame:
    """COLUMNS of each row, network, distance and score: its mean, and its gain over `real`."""
    means = [
        (row, network, distance, score, 100 * float(gains.query_values(seeds, distance, score, rule).mean()))
        for row, networks in results.items()
        for network, seeds in networks.items()
        for distance, score in itertools.product(distances(seeds), gains.SCORES)
    ]
    compared = gains.as_numbers(gains.compare_rows(results, rule, people))
    over_real = compared[compared["over_row"] == layout.REAL]
    return pd.DataFrame(means, columns=COLUMNS[:5]).merge(over_real, how="left", on=COLUMNS[:4])[COLUMNS]
