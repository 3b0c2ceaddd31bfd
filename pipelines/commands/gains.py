"""What training sets and networks add, from the score files that there are, of this run and of earlier ones."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import click
import pandas as pd

from pipelines import layout
from pipelines.report import gains, reid_figures
from pipelines.report.results import Result, Results, distances, read_score
from pipelines.report.tables import markdown
from reid.common.errors import InputError
from reid.distances import DISTANCES
from reid.evaluation.gains import LEAST
from reid.files import samples
from reid.files.samples import read_parquet, write_parquet, write_tsv

RUN = ["row", "network", "seed"]  # what tells a run apart: one network, trained on one training set
COLUMNS = {
    "pooling": "category",  # of queries, and
    "learnt_from": "category",  # whose images metrics were learnt from: as in score files, empty for none
    "image_size": "category",  # height x width
    "real_images": "int32",  # of the training set; 0 for one of generated images alone
    "row": "category",
    "network": "category",
    "seed": "int32",
    "distance": "category",
    "query": "category",
    "person": "int32",
    "first_rank": "int32",
    "ap_trapezoid": "float32",
    "ap_step": "float32",
}
OWN = "own"  # in the place of `learnt_from`, of a training set without real images
NAME = re.compile(r"(?P<row>real-a1|.+-a\d+)-(?P<network>.+)-s(?P<seed>\d+)")


def run(earlier: Path | None, out: Path | None, kept: Path | None, rule: str, alone: bool = False) -> None:
    """Print a table of gains over the real images; write all gains, and a figure of them, and the scores themselves.

    A training set counts with a network where at least `LEAST` seeds have been measured, the same ones as of the real
    images; what is left out is said. A network that was not trained on the real images, such as one that labels
    generated images in another way, counts with the seeds of the set of which there are most. Networks come in
    alphabetical order; training sets too, `real` first and those of one name by alpha.

    Args:
        earlier: scores that this command kept before, to take with those of `data/scores`; of a run that is in both,
            those of `data/scores` count.
        out: without suffix: OUT.tsv, the gains of each two rows, and of each two networks; OUT.png, those over real.
        kept: Parquet to write: the scores of all queries by all runs that were found; it may be that of `earlier`.
        rule: `trapezoid` or `step`: which mAP.
        alone: whether the earlier scores are taken alone, as those of another data set have to be.

    Raises:
        FileNotFoundError: there are no scores at all, or not of the real images.
        InputError: the runs were not measured on the same queries and in the same way, or not trained on the same real
            images, or `kept` is a file that has other runs, or is none of this command; nothing is written then.
    """
    scores = pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS) if alone else _measured()
    if earlier is not None:
        before = read_kept(earlier)
        known = pd.MultiIndex.from_frame(scores[RUN].drop_duplicates())
        before = before[~pd.MultiIndex.from_frame(before[RUN]).isin(known)]
        scores = pd.concat([before, scores], ignore_index=True).astype(COLUMNS)
    if scores.empty:
        raise FileNotFoundError(f"there are no scores in {layout.SCORES}: train and evaluate first, or give --earlier")
    if kept is not None and kept.exists():
        _check_nothing_is_lost(scores, kept)
    results, left_out = as_results(scores)
    people = dict(zip(scores["query"], scores["person"], strict=True))
    lines = gains.compare_rows(results, rule, people)
    click.echo(markdown(_table(results, lines, rule)))
    of_networks, notes = _compare_networks(results, scores, rule, people)
    left_out += notes
    if of_networks:
        click.echo("gains of networks over the first that each training set has been measured with:")
        click.echo(markdown(gains.networks_as_text(of_networks)))
    for note in left_out:
        click.echo(f"left out: {note}")
    if kept is not None:
        write_parquet(scores.sort_values([*RUN, "distance"], kind="stable", ignore_index=True), kept)
        click.echo(f"scores of {scores[RUN].drop_duplicates().shape[0]} runs: {kept}")
    if out is not None:
        numbers, picture = (out.with_name(out.name + suffix) for suffix in (".tsv", ".png"))
        write_tsv(gains.as_numbers([*lines, *of_networks]), numbers, "%.4g")
        if any(line.over_row == layout.REAL for line in lines):
            reid_figures.gains(lines, picture)
            click.echo(f"all gains: {numbers}, {picture}")
        else:
            click.echo(f"all gains: {numbers}; no figure, since no row has been compared with {layout.REAL}")


def read_kept(path: Path) -> pd.DataFrame:
    """COLUMNS of the scores that `--keep` wrote; raises InputError where it is no such file."""
    scores = read_parquet(path)
    if missing := [column for column in COLUMNS if column not in scores]:
        raise InputError(f"{path} is no file that --keep wrote: it has no columns {', '.join(missing)}")
    return scores.astype(COLUMNS)


def _check_nothing_is_lost(scores: pd.DataFrame, kept: Path) -> None:
    """Raise InputError where `kept`, to be overwritten, is no file of scores or has runs that `scores` lack."""
    try:
        before = read_kept(kept)
    except InputError as error:
        raise InputError(f"--keep would overwrite {kept}, which --keep did not write: name another file") from error
    telling = [*RUN, "image_size", "real_images"]  # parts of a training set have runs of the same names
    runs, others = ({*table[telling].itertuples(index=False, name=None)} for table in (scores, before))
    if lost := sorted(others - runs):
        row, network, seed, *_ = lost[0]
        raise InputError(
            f"--keep would overwrite {kept} and lose {len(lost)} runs that are not among these ({row}, {network}, seed "
            f"{seed}): name another file, or take them with --earlier {kept}"
        )


def as_results(scores: pd.DataFrame) -> tuple[Results, list[str]]:
    """The results of those rows and networks that can be compared, and a note on each that is left out.

    Args:
        scores: a line for each query of each run and distance, with COLUMNS.
    """
    _check_alike(scores)
    grouped = cast("Iterable[tuple[tuple[str, str, int], pd.DataFrame]]", scores.groupby(RUN, observed=True))
    runs = dict(sorted(grouped, key=lambda run: _place(run[0])))
    seeds = _seeds(scores)
    left_out = []
    compared = dict[str, list[str]]()  # rows of each network
    for row, network in dict.fromkeys((row, network) for row, network, _ in runs):
        own = [seed for seed in seeds[network] if (row, network, seed) in runs]
        if len(seeds[network]) < LEAST or own != seeds[network]:
            wanted = f"{max(len(seeds[network]), LEAST)}, as of {_reference(network, runs)},"
            left_out.append(f"{row}, {network}: {len(own)} seeds measured that can be compared, {wanted} are needed")
        else:
            compared.setdefault(network, []).append(row)
    for network, rows in compared.items():
        tables = {(row, seed): runs[row, network, seed] for row in rows for seed in seeds[network]}
        tables, notes = _alike(network, tables)
        left_out += notes
        runs |= {(row, network, seed): table for (row, seed), table in tables.items()}
    results: Results = {layout.REAL: {}}
    asked = None  # the queries of all runs
    for row, network in dict.fromkeys((row, network) for row, network, _ in runs):
        if row not in compared.get(network, []):
            continue
        its = [_result(runs[row, network, seed]) for seed in seeds[network]]
        reference = compared[network][0]  # the real images, where there are
        first = _result(runs[reference, network, seeds[network][0]])
        if any(not one.queries[["query", "distance"]].equals(first.queries[["query", "distance"]]) for one in its):
            raise InputError(
                f"{row}, {network}: measured on other queries than {reference}: compare runs on one data set"
            )
        queries = list(dict.fromkeys(first.queries["query"]))
        asked = asked or queries
        if queries != asked:
            raise InputError(f"{network}: measured on other queries than the networks before it: compare one data set")
        results.setdefault(row, {})[network] = its
    if not results[layout.REAL]:
        raise FileNotFoundError(f"at least {LEAST} seeds of the real images are needed: " + "; ".join(left_out))
    return results, left_out


def _place(run: tuple[str, str, int]) -> tuple[bool, str, int, str, int]:
    """What puts runs in order: `real` first, training sets of one name by alpha, then by network and seed."""
    row, network, seed = run
    name, _, alpha = row.rpartition("-a")
    return row != layout.REAL, name, int(alpha) if name else 0, network, seed


def _check_alike(scores: pd.DataFrame) -> None:
    """Raise InputError where runs are of other image sizes or real images, or queries were pooled in another way."""
    with_real = scores[scores["real_images"] > 0]
    for what, found in (
        ("images of several sizes", scores["image_size"]),
        ("several numbers of real images", with_real["real_images"]),
        ("queries pooled in several ways", scores["pooling"]),
    ):
        if found.nunique() > 1:
            firsts = scores.loc[found.drop_duplicates().index, [*RUN, str(found.name)]]
            runs = "; ".join(f"{row}, {network}, seed {seed}: {value}" for row, network, seed, value in firsts.values)
            raise InputError(f"runs that cannot be compared, of {what}: {runs}: remove or keep apart those of one kind")


def _reference(network: str, runs: Iterable[tuple[str, str, int]]) -> str:
    """The row whose seeds a network is compared by: `real`, or, where it was not trained on that, the one of most."""
    rows = [row for row, its, _ in runs if its == network]
    return layout.REAL if layout.REAL in rows else max(dict.fromkeys(rows), key=rows.count)


def _seeds(scores: pd.DataFrame) -> dict[str, list[int]]:
    """The seeds that each network is compared by: those of its reference."""
    runs = list(scores[RUN].drop_duplicates().itertuples(index=False, name=None))
    reference = {network: _reference(network, runs) for network in dict.fromkeys(its for _, its, _ in runs)}
    return {
        network: sorted(seed for row, its, seed in runs if (row, its) == (its_row, network))
        for network, its_row in reference.items()
    }


def _alike(
    network: str, tables: dict[tuple[str, int], pd.DataFrame]
) -> tuple[dict[tuple[str, int], pd.DataFrame], list[str]]:
    """The scores of a network's runs by those distances that all were measured with; a note on each other distance.

    Raises:
        InputError: there is no such distance, or metrics were learnt from several kinds of images.
    """
    measured = {run: list(dict.fromkeys(table["distance"])) for run, table in tables.items()}
    all_of_them = dict.fromkeys(name for names in measured.values() for name in names)
    known = list(DISTANCES)
    in_order = sorted(all_of_them, key=lambda name: (known.index(name) if name in known else len(known), name))
    shared = [name for name in in_order if all(name in names for names in measured.values())]
    if not shared:
        raise InputError(f"{network}: no distance that all its runs were measured with, of {', '.join(all_of_them)}")
    notes = [f"{network}, {name}: not all runs were measured with it" for name in all_of_them if name not in shared]
    check_learnt(network, shared, (table["learnt_from"].iloc[0] for table in tables.values()))
    place = {name: number for number, name in enumerate(shared)}  # one order for all runs
    ordered = {run: table.assign(place=table["distance"].astype(str).map(place)) for run, table in tables.items()}
    kept = {run: table.dropna(subset="place").sort_values("place", kind="stable") for run, table in ordered.items()}
    return kept, notes


def check_learnt(network: str, names: Iterable[str], sources: Iterable[str]) -> None:
    """Raise InputError where a distance of these names learns, and runs learnt it from several kinds of images.

    A set without real images has but its own ones to learn from, whatever the setting.
    """
    learns = any(DISTANCES[name].learns for name in names if name in DISTANCES)
    several = {*sources} - {OWN}
    if learns and len(several) > 1:
        raise InputError(
            f"{network}: metrics were learnt from several kinds of images, {', '.join(sorted(several))}: evaluate alike"
        )


def _compare_networks(
    results: Results, scores: pd.DataFrame, rule: str, people: dict[str, int]
) -> tuple[list[gains.Compared], list[str]]:
    """Gains of networks over each other, where their seeds are the same, and a note where some are not."""
    seeds = _seeds(scores)
    groups: dict[tuple[int, ...], dict[str, None]] = {}  # networks by their seeds
    for network in dict.fromkeys(name for networks in results.values() for name in networks):
        groups.setdefault(tuple(seeds[network]), {})[network] = None
    lines = []
    for group in groups.values():
        alike = {
            row: {name: its for name, its in networks.items() if name in group} for row, networks in results.items()
        }
        lines += gains.compare_networks(alike, rule, people)
    of_groups = [f"{', '.join(group)} (seeds {', '.join(map(str, own))})" for own, group in groups.items()]
    return lines, [f"comparisons of networks that have other seeds: {'; '.join(of_groups)}"] if len(groups) > 1 else []


def _result(table: pd.DataFrame) -> Result:
    own = table[["query", "distance", "first_rank", "ap_trapezoid", "ap_step"]]
    queries = own.astype({"query": str, "distance": str}).reset_index(drop=True)
    return Result({"distances": dict.fromkeys(queries["distance"])}, queries)


def _measured() -> pd.DataFrame:
    """The scores of all score files in `data/scores`."""
    tables = [pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)]
    files = [(path, NAME.fullmatch(path.stem)) for path in sorted(layout.SCORES.glob("*.json"))]
    if files:
        query = samples.read(layout.samples("query"))
        people = dict(zip(query["image"], query["identity"], strict=True))
    for path, name in files:
        if name is None:
            continue
        file = read_score(path, ("trained_on", "pooling", "learnt_from", "image_size"))
        table = read_parquet(path.with_suffix(".parquet"))
        if not table["query"].isin(people).all():
            raise InputError(f"{path}: measured on other queries than those of {layout.samples('query')}")
        row = layout.REAL if name["row"] == layout.folder_name(layout.REAL) else name["row"]
        run = {"row": row, "network": name["network"], "seed": int(name["seed"])}
        without_real = file["trained_on"]["generated"] == file["trained_on"]["images"]
        run |= {"pooling": file["pooling"], "learnt_from": OWN if without_real else file["learnt_from"] or ""}
        run |= {"image_size": "x".join(map(str, file["image_size"]))}
        run |= {"real_images": file["trained_on"]["images"] - file["trained_on"]["generated"]}
        tables.append(table.assign(**run, person=table["query"].map(people))[list(COLUMNS)])
    return pd.concat(tables, ignore_index=True).astype(COLUMNS)


def _table(results: Results, lines: list[gains.Compared], rule: str) -> pd.DataFrame:
    """A line for each network, distance and row: means over seeds in per cent, gains over the real images."""
    over_real = {(line.network, line.distance, line.row, line.score): line for line in lines if line.over_row == "real"}
    table = []
    for network, seeds in results[layout.REAL].items():
        for distance in distances(seeds):
            for row in [row for row in results if network in results[row]]:
                cells = {"network": network, "distance": distance, "training set": row}
                for score in gains.SCORES:
                    mean = gains.query_values(results[row][network], distance, score, rule).mean()
                    cells[score] = f"{100 * mean:.1f}"
                    line = over_real.get((network, distance, row, score))
                    cells[f"{score}, gain"] = "" if line is None else gains.in_text(line)
                table.append(cells)
    return pd.DataFrame(table)
