"""Gather all scores into the tables, figures, and one page of pictures."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from pathlib import Path

import click
import pandas as pd

from pipelines import layout
from pipelines.console import stage
from pipelines.params import Params
from pipelines.report import (
    captions,
    gains,
    image_tables,
    losses,
    page,
    provenance,
    rank_pages,
    reid_figures,
    series,
    sheets,
    tables,
)
from pipelines.report.page import Illustration
from pipelines.report.reid_table import reid_table
from pipelines.report.results import (
    Metrics,
    Results,
    check_settings,
    metrics,
    read_results,
    read_score,
    read_table,
    summary,
)
from pipelines.report.significance import significance
from pipelines.report.tables import Captioned
from pipelines.runtime import bound_threads
from reid.common import atomic
from reid.common.checkpoints import forget_results
from reid.common.saved import save_json
from reid.datasets import SPLITS
from reid.datasets.checks import unlike_published
from reid.evaluation.gains import LEAST
from reid.files import samples
from reid.files.samples import write_tsv

FOLDERS = ("figures", "people", "series", "sheets", "small", "summary", "tables")
DOWNLOADS = {  # file of the report -> what it has
    "table.md": "all tables, Markdown",
    "table.tex": "all tables, LaTeX",
    "table.html": "all tables, HTML",
    "metrics.json": "Re-ID scores, means and standard deviations over seeds",
    "significance.tsv": "each two training sets compared, by a paired bootstrap over people",
    "gains.tsv": "each two training sets, and networks, compared over seeds and people",
    "series/cmc.tsv": "CMC curves",
    "series/networks.tsv": "losses of Re-ID networks",
    "series/generators.tsv": "losses of generators",
}
MAY_HOLD = (*FOLDERS, *(name for name in DOWNLOADS if "/" not in name), "index.html", rank_pages.PAGE)


def run(params: Params) -> None:
    """Write `data/report/`: index.html and what it shows, tables, metrics.json, summary/, significance.tsv, gains.tsv.

    The rows are those that params.yaml names, whatever else lies in `data/scores`.

    Raises:
        FileNotFoundError: a score file or a sheet is missing.
        InputError: scores were measured with other settings than those of params.yaml.
    """
    rows = [layout.REAL, *(layout.row_name(g, a) for g in params.augmentations for a in params.alphas)]
    bound_threads(params.threads)
    does = f"{len(rows)} training sets: {', '.join(rows)}"
    # In the place of a report of other rows as a whole, and only where nothing is missing.
    with stage("report", does) as say, atomic.replacing_folder(layout.REPORT, MAY_HOLD) as folder:
        results = read_results(rows, params.networks, params.seeds)
        check_settings(results, params)
        figure_folder, sheet_folder = folder / "figures", folder / "sheets"
        for made in (figure_folder, sheet_folder):
            made.mkdir()

        means = metrics(results)
        save_json(means, folder / "metrics.json")
        for row, numbers in summary(means, params.report.average_precision).items():
            save_json(numbers, folder / "summary" / f"{row}.json")
        query = samples.read(layout.samples("query"))
        people = dict(zip(query["image"], query["identity"], strict=True))
        of_rows, of_networks = _gains(params, results, people, folder)
        shown = [_reid(params, results, means, people, of_rows, folder)]
        if of_networks:
            caption = captions.networks_caption(params)
            shown.append(Captioned("What networks add", gains.networks_as_text(of_networks), caption))
        shown += _images(params)
        tables.write(shown, folder)
        page.write_tables(shown, folder)
        logs_of_generators, logs_of_networks = losses.of_generators(params), losses.of_networks(params, rows)
        series.write(results, logs_of_generators, logs_of_networks, folder / "series")
        drawn = reid_figures.draw(params, results, means, figure_folder)
        drawn += [reid_figures.draw_gains(of_rows, figure_folder)] if of_rows else []
        drawn += [_losses(logs_of_networks, figure_folder)] if len(logs_of_networks) else []
        drawn += sheets.curves(params, figure_folder)
        collected = sheets.collect(params, results, logs_of_generators, sheet_folder)
        facts = captions.facts(params, results) | provenance.facts(params, rows)
        downloads = {name: what for name, what in DOWNLOADS.items() if (folder / name).exists()}
        page.write_page(facts, shown, drawn, collected, downloads, folder)
        click.echo((folder / "table.md").read_text(encoding="utf-8"))
        say(f"tables and all pictures: {layout.REPORT / 'index.html'}")
    if "DVC_STAGE" in os.environ:  # then DVC has recorded all that the tables are made of
        networks = itertools.product(map(layout.folder_name, rows), params.networks, params.seeds)
        trained = {f"reid-{row}-{network}-s{seed}" for row, network, seed in networks}
        forget_results(trained | {f"gan-{name}" for name in params.trained})


def _losses(logs: pd.DataFrame, folder: Path) -> Illustration:
    """Draw the losses of Re-ID networks."""
    text = "Of Re-ID networks, against iterations; with several seeds, the mean and, shaded, the range."
    shown = Illustration("Losses", text, folder / "losses.png")
    losses.draw_networks(logs, shown.path)
    return shown


def _reid(
    params: Params,
    results: Results,
    means: Metrics,
    people: Mapping[str, int],
    of_rows: list[gains.Compared],
    folder: Path,
) -> Captioned:
    """The Re-ID table; writes significance.tsv."""
    evaluation, rule = params.evaluation, params.report.average_precision
    as_published = (evaluation.queries, evaluation.metric_train) == ("single", "real") and _is_market1501(params)
    compared = significance(results, rule, people, params.seed)
    write_tsv(compared, folder / "significance.tsv", "%.4g")
    table = reid_table(results, means, compared, rule, as_published, of_rows)
    caption = captions.reid_caption(params, results, as_published)
    if of_rows:
        caption = f"{caption} {captions.gains_caption(params)}"
    return Captioned("Re-identification, by training set", table, caption)


def _is_market1501(params: Params) -> bool:
    """Whether papers' numbers belong beside these: the data set is the published one, not just named in its manner."""
    if params.dataset.name != "market1501":
        return False
    return not unlike_published({split: samples.read(layout.samples(split)) for split in SPLITS})


def _gains(
    params: Params, results: Results, people: Mapping[str, int], folder: Path
) -> tuple[list[gains.Compared], list[gains.Compared]]:
    """With enough seeds, what each augmentation adds, and each network; writes gains.tsv."""
    if len(params.seeds) < LEAST:
        return [], []
    rule = params.report.average_precision
    of_rows = gains.compare_rows(results, rule, people)
    of_networks = gains.compare_networks(results, rule, people)
    write_tsv(gains.as_numbers([*of_rows, *of_networks]), folder / "gains.tsv", "%.4g")
    return of_rows, of_networks


def _images(params: Params) -> list[Captioned]:
    """The table of generators' scores; with variants, those of the paper's Tables 5 to 11 that can be made of them."""
    files = {name: read_score(layout.gan_score(name)) for name in (layout.REAL, *params.trained)}
    published = _is_market1501(params)
    caption = captions.image_caption(params, files, published)
    shown = [Captioned("Generated images, by generator", image_tables.image_table(files, published), caption)]
    if params.sources:
        scored = {name: read_table(layout.gan_sources(name)) for name in params.sources}
        table = image_tables.sources_table(scored, published)
        caption = captions.sources_caption(published)
        shown.append(Captioned("Generated images, by number of sources", table, caption))
    if params.features:
        features = {name: read_table(layout.gan_features(name)) for name in params.features}
        table = image_tables.features_table(features, published)
        shown.append(Captioned("Embeddings of people as Re-ID features", table, captions.features_caption(published)))
    if params.variants:
        ablations = image_tables.ablation_tables(files, published)
        shown += [Captioned(title, table, captions.ABLATIONS) for title, table in ablations.items()]
    return shown
