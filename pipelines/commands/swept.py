"""Gains against the values of a parameter, from scores that `gains --keep` wrote of each."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import pandas as pd

from pipelines import layout
from pipelines.commands.gains import as_results, check_learnt, read_kept
from pipelines.commands.sweep import COLUMNS, write
from pipelines.report.gains import SCORES, as_numbers, asked_of, compare_rows, query_values
from pipelines.report.results import Results, distances
from reid.common.errors import InputError
from reid.evaluation.gains import gain

ASKED = ["query", "person", "pooling", "image_size"]  # what has to be the same for all values
MEASURED = ["row", "network", "distance"]
PLACE = [*MEASURED, "score"]
CHANGE = ["change", "change_low", "change_high"]


def run(key: str, pairs: Sequence[tuple[str, Path]], out: Path, rule: str) -> None:
    """Write OUT.tsv and OUT.png, as `sweep` does, of what all values have been measured with.

    Those are rows by networks and distances by which all have `real` too. The table has CHANGE besides: a row's gain at
    a value less its gain at the last value, in points, with an interval as a gain has (seeds and people are random
    draws); empty where their numbers of seeds differ. What is left out for want of seeds is said.

    Args:
        key: what the values are of, for the figure.
        pairs: each value, and the scores that `gains --keep` wrote of it; in the order of the figure.
        out: table and figure to write, without suffix.
        rule: `trapezoid` or `step`: which mAP.

    Raises:
        InputError: a value comes twice, a file is none that `gains --keep` wrote, the values were not measured on the
            same queries and in the same way, or there is no row besides `real` that all have; nothing is written then.
    """
    files = dict(pairs)
    if len(files) < len(pairs):
        raise InputError(f"a value comes twice: {', '.join(value for value, _ in pairs)}")
    tables = shared({value: read_kept(path) for value, path in files.items()})
    first, last = pairs[0][0], pairs[-1][0]
    if tables[first]["row"].eq(layout.REAL).all():
        raise InputError(
            f"no row and network besides those of {layout.REAL} that all have: {', '.join(map(str, files.values()))}"
        )
    asked = {value: table[ASKED].drop_duplicates().astype(str).values.tolist() for value, table in tables.items()}
    for value in files:
        if asked[value] != asked[first]:
            raise InputError(
                f"{files[value]} was measured on other queries, in another order or another way, than {files[first]}: "
                "compare runs on one test set"
            )
    for network, of_network in pd.concat(tables.values()).groupby("network", observed=True):
        check_learnt(str(network), of_network["distance"].unique(), of_network["learnt_from"].unique())
    results: dict[str, Results] = {}
    for value, table in tables.items():
        try:
            results[value], left_out = as_results(table)
        except (InputError, FileNotFoundError) as error:
            raise InputError(f"{files[value]}: {error}") from error
        for note in left_out:
            click.echo(f"left out at {value}: {note}")
    people = dict(zip(tables[first]["query"], tables[first]["person"], strict=True))
    lines = []
    for value, its in results.items():
        of_value = _scores(its, rule, people)
        if value != last:
            of_value = of_value.merge(_changes(its, results[last], rule, people), how="left", on=PLACE)
        lines.append(of_value.assign(value=value))
    click.echo(write(pd.concat(lines).reindex(columns=["value", *COLUMNS, *CHANGE]), key, out))


def shared(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The scores of those rows, networks and distances that all tables have, where all have `real` by them too."""
    all_have = set.intersection(*({*_measured(table)} for table in tables.values()))
    kept = {place for place in all_have if (layout.REAL, *place[1:]) in all_have}
    return {
        value: table[[place in kept for place in _measured(table)]].reset_index(drop=True)
        for value, table in tables.items()
    }


def _measured(table: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(zip(*(table[column].astype(str) for column in MEASURED), strict=True))


def _scores(results: Results, rule: str, people: Mapping[str, int]) -> pd.DataFrame:
    """COLUMNS of each row, network, distance and score: its mean, and its gain over `real`."""
    means = [
        (row, network, distance, score, 100 * float(query_values(results[row][network], distance, score, rule).mean()))
        for row, network, distance, score in _places(results)
    ]
    compared = as_numbers(compare_rows(results, rule, people))
    over_real = compared[compared["over_row"] == layout.REAL]
    return pd.DataFrame(means, columns=[*PLACE, "mean"]).merge(over_real, how="left", on=PLACE)[COLUMNS]


def _changes(results: Results, last: Results, rule: str, people: Mapping[str, int]) -> pd.DataFrame:
    """CHANGE of each row, network, distance and score that both have been measured with, by as many seeds."""
    lines = []
    for row, network, distance, score in {*_places(results)} & {*_places(last)}:
        if row == layout.REAL:
            continue
        here, there = (
            query_values(its[row][network], distance, score, rule)
            - query_values(its[layout.REAL][network], distance, score, rule)
            for its in (results, last)
        )
        if here.shape == there.shape:
            change = gain(here, there, asked_of(results[row][network], distance, people))
            lines.append((row, network, distance, score, *(100 * bound for bound in change)))
    return pd.DataFrame(lines, columns=[*PLACE, *CHANGE])


def _places(results: Results) -> list[tuple[str, str, str, str]]:
    """Row, network, distance and score of all that has been measured."""
    return [
        (row, network, distance, score)
        for row, networks in results.items()
        for network, seeds in networks.items()
        for distance, score in itertools.product(distances(seeds), SCORES)
    ]
