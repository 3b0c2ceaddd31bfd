"""Read a Re-ID data set into sample tables, check it, and draw a sheet of its images."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from pathlib import Path

import click
import numpy as np
import pandas as pd

from pipelines import layout
from pipelines.console import plain, stage
from pipelines.params import DatasetParams
from reid.common import atomic
from reid.common.errors import InputError
from reid.common.saved import save_json
from reid.datasets import DATASETS, SPLITS, Dataset, Finding
from reid.datasets.checks import counts, find_faults, unlike_published
from reid.datasets.subset import subset
from reid.export.layout import NAMINGS, naming
from reid.files import samples
from reid.files.images import Archive
from reid.pictures.sheets import sheet

MAY_HOLD = (*(layout.samples(split).name for split in (*SPLITS, "pool")), "summary.json", "sheet.png")
SHOWN = 10  # findings of one kind that are printed
PEOPLE, IMAGES = 6, 14  # on the sheet: training people, and images a line


class DatasetError(InputError):
    """A data set with faults that make it unusable."""


def run(dataset: DatasetParams, seed: int) -> None:
    """Write `data/samples/{train,query,gallery,pool}.parquet`, `summary.json`, `sheet.png`, and the row of real images.

    `pool` has the images whose features multi-query evaluation pools: those that the data set has for it, or else all
    queries and gallery images. Data sets without queries have no `pool`.

    Args:
        dataset: its section of params.yaml.
        seed: of the choice of a part of the training set.

    Raises:
        DatasetError: the checks have fatal findings; all findings are printed before.
        InputError: there are fewer training people than are asked for.
    """
    with stage("prepare", f"read {dataset.name} from {dataset.path}") as say:
        read = DATASETS[dataset.name](dataset.path)
        findings = find_faults(read)
        if dataset.name == "market1501":
            findings += unlike_published(read.tables)
        if dataset.name in NAMINGS:
            findings += _not_exportable(read)
        _print(findings)
        fatal = sum(finding.fatal for finding in findings)
        if fatal:
            raise DatasetError(
                f"{dataset.path}: {fatal} fatal findings, listed above; mend or remove these files and run again"
            )
        train = subset(read.tables["train"], dataset.train_people, dataset.train_images, seed)
        if len(train) < len(read.tables["train"]):
            say(f"{len(train):,} of {len(read.tables['train']):,} training images taken")
            read.tables["train"] = train
        summary = {split: _summary(read.tables[split]) for split in SPLITS}
        # The real training set is a row of the table like any other: its folder is that of alpha = 1.
        row, table = layout.augmented(layout.REAL, 1), layout.samples("train").name
        with atomic.replacing_folder(row, [table]) as real, atomic.replacing_folder(layout.SAMPLES, MAY_HOLD) as made:
            _write(read, dataset.name, summary, made)
            samples.write(read.tables["train"], real / table)
            atomic.delete(row)  # until the new one is there: a kill leaves none beside the tables of another run
        click.echo(pd.DataFrame(summary).T.to_string())
        for fact, count in read.facts.items():
            click.echo(f"{fact.replace('_', ' ')}: {count:,}")
        say(f"{sum(s['images'] for s in summary.values()):,} images, {len(findings)} findings, none fatal")
        say(str(layout.SAMPLES / "sheet.png"))


def _write(read: Dataset, name: str, summary: dict[str, dict[str, int]], folder: Path) -> None:
    """Write the tables of all splits, the summary and the sheet of a data set of this name into a folder."""
    for split in SPLITS:
        samples.write(read.tables[split], folder / layout.samples(split).name)
    if read.retrieval:
        both = pd.concat([read.tables["query"], read.tables["gallery"]], ignore_index=True)
        samples.write(both if read.pool is None else read.pool, folder / layout.samples("pool").name)
    save_json({**summary, **read.facts}, folder / "summary.json")
    _draw(read, name, folder / "sheet.png")


def _not_exportable(read: Dataset) -> list[Finding]:
    """A finding where other libraries would not read the file names."""
    try:
        naming(pd.concat(read.tables.values())["image"])
    except InputError as error:
        return [Finding(False, "`exports` are not possible", "file names", str(error))]
    return []


def _summary(table: pd.DataFrame) -> dict[str, int]:
    images, junk, distractors = counts(table)
    return {
        "images": images,
        "identities": int(table.loc[table["identity"] > samples.DISTRACTOR, "identity"].nunique()),
        "cameras": int(table["camera"].nunique()),
        "junk": junk,
        "distractors": distractors,
    }


def _print(findings: list[Finding]) -> None:
    """Print how many findings of each kind there are, fatal ones first, and the first few of each."""

    def kind(finding: Finding) -> tuple[bool, str]:
        return not finding.fatal, finding.what

    totals = Counter(map(kind, findings))
    for key, group in groupby(sorted(findings, key=kind), kind):
        click.echo(f"{'warning' if key[0] else 'FATAL'}: {key[1]}: {totals[key]}")
        for finding in list(group)[:SHOWN]:
            click.echo(plain(f"    {finding.where}{': ' if finding.detail else ''}{finding.detail}"))
        if totals[key] > SHOWN:
            click.echo(f"    ... and {totals[key] - SHOWN} more")


def _draw(dataset: Dataset, name: str, path: Path) -> None:
    """Draw some training people in all their cameras, and some queries, distractors and junk, a line each."""
    lines = []
    train, gallery = dataset.tables["train"], dataset.tables["gallery"]
    identities = np.array(sorted(train["identity"].unique()))
    for identity in identities[np.unique(np.linspace(0, len(identities) - 1, PEOPLE).astype(int))]:
        lines.append((f"train {identity}", train[train["identity"] == identity]))
    lines.append(("query", dataset.tables["query"]))
    lines.append(("distractors", gallery[gallery["identity"] == samples.DISTRACTOR]))
    lines.append(("junk", gallery[gallery["identity"] == samples.JUNK]))
    drawn = []
    for caption, table in lines:
        if not table.empty:
            chosen = table.iloc[np.unique(np.linspace(0, len(table) - 1, IMAGES).astype(int))]
            with Archive(chosen["archive"].iloc[0]) as archive:
                drawn.append((caption, [archive.image(image) for image in chosen["image"]]))
    sheet(
        drawn,
        path,
        height=128,
        title=f"{name}: training people, one a line, in order of camera; then queries, distractors, junk",
    )
