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
from pipelines.report.figures import swept
from pipelines.report.gains import SCORES, as_numbers, asked_of, compare_rows, query_values
from pipelines.report.results import Results, distances
from reid.common.errors import InputError
from reid.evaluation.gains import gain
from reid.files.samples import write_tsv

ASKED = ["query", "person", "pooling", "image_size"]  # what has to be the same for all values
CHANGE = ["change", "change_low", "change_high"]


def run(key: str, pairs: Sequence[tuple[str, Path]], out: Path, rule: str) -> None:
    """Write OUT.tsv and OUT.png, as `sweep` does, of the rows and networks that all values have been measured with.

    The table has CHANGE too: a row's gain at a value less its gain at the last value, in points, with an interval as a
    gain has (seeds and people are random draws); empty where their numbers of seeds differ.

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
    first, *_, last = (*files, *files)
    asked = {value: table[ASKED].drop_duplicates().astype(str).values.tolist() for value, table in tables.items()}
    for value in asked:
        if asked[value] != asked[first]:
            raise InputError(
                f"{files[value]} was measured on other queries, or in another way, than {files[first]}: compare runs "
                "on one test set"
            )
    people = dict(zip(tables[first]["query"], tables[first]["person"], strict=True))
    results = _shared({value: as_results(table)[0] for value, table in tables.items()})
    if list(results[first]) == [layout.REAL]:
        raise InputError(f"no row besides {layout.REAL} that all have: {', '.join(map(str, files.values()))}")
    lines = []
    for value, its in results.items():
        of_value = _scores(its, rule, people)
        if value != last:
            of_value = of_value.merge(_changes(its, results[last], rule, people), how="left", on=COLUMNS[:4])
        lines.append(of_value.assign(value=value))
    table = pd.concat(lines).reindex(columns=["value", *COLUMNS, *CHANGE])
    numbers, picture = (out.with_name(out.name + suffix) for suffix in (".tsv", ".png"))
    write_tsv(table, numbers, "%.4g")
    swept(table, key, picture)
    click.echo(f"{numbers}, {picture}")


def _shared(results: Mapping[str, Results]) -> dict[str, Results]:
    """Results of each value, of those rows and networks that all values have."""
    runs = [{(row, network) for row in its for network in its[row]} for its in results.values()]
    shared = set.intersection(*runs)
    of_rows = {
        value: {row: {name: seeds for name, seeds in its[row].items() if (row, name) in shared} for row in its}
        for value, its in results.items()
    }
    return {value: {row: networks for row, networks in its.items() if networks} for value, its in of_rows.items()}


def _scores(results: Results, rule: str, people: Mapping[str, int]) -> pd.DataFrame:
    """COLUMNS of each row, network, distance and score: its mean, and its gain over `real`."""
    means = [
        (row, network, distance, score, 100 * float(query_values(results[row][network], distance, score, rule).mean()))
        for row, network, distance, score in _places(results)
    ]
    compared = as_numbers(compare_rows(results, rule, people))
    over_real = compared[compared["over_row"] == layout.REAL]
    return pd.DataFrame(means, columns=COLUMNS[:5]).merge(over_real, how="left", on=COLUMNS[:4])[COLUMNS]


def _changes(results: Results, last: Results, rule: str, people: Mapping[str, int]) -> pd.DataFrame:
    """CHANGE of each row, network, distance and score that both have been measured with, by as many seeds."""
    lines = []
    for row, network, distance, score in {*_places(results)} & {*_places(last)}:
        if row == layout.REAL or network not in results[layout.REAL]:
            continue
        here, there = (
            query_values(its[row][network], distance, score, rule)
            - query_values(its[layout.REAL][network], distance, score, rule)
            for its in (results, last)
        )
        if here.shape == there.shape:
            change = gain(here, there, asked_of(results[row][network], distance, people))
            lines.append((row, network, distance, score, *(100 * bound for bound in change)))
    return pd.DataFrame(lines, columns=[*COLUMNS[:4], *CHANGE])


def _places(results: Results) -> list[tuple[str, str, str, str]]:
    """Row, network, distance and score of all that has been measured."""
    return [
        (row, network, distance, score)
        for row, networks in results.items()
        for network, seeds in networks.items()
        for distance, score in itertools.product(distances(seeds), SCORES)
    ]
