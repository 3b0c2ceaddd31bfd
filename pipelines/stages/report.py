"""Gather the scores into the table, its figures, and one page of pictures."""

from __future__ import annotations

import html
import json
import shutil
from pathlib import Path
from typing import Any

import click

from pipelines import layout
from pipelines.console import stage
from pipelines.params import Params
from pipelines.report import reid_figures, tables
from pipelines.report.reid_table import reid_table
from pipelines.report.results import LEVEL, Results, metrics, read_results, read_score, significance
from reid.common.errors import InputError
from reid.files import samples
from reid.files.images import Archive
from reid.pictures import rank_lists

RANK_LISTS = {"rank_lists": "Rank lists", "hardest": "Hardest queries of each row and network"}


def run(params: Params) -> None:
    """Write `data/report/`: the table, metrics.json, figures/, sheets/ and index.html.

    The rows are those that params.yaml names, whatever else lies in `data/scores`.

    Raises:
        FileNotFoundError: a score is missing.
        InputError: scores were measured with other settings than those of params.yaml.
    """
    rows = [layout.REAL, *(layout.row_name(g, a) for g in params.augmentations for a in params.alphas)]
    with stage("report", f"{len(rows)} rows: {', '.join(rows)}") as say:
        results = read_results(rows, params.networks, params.seeds)
        _check_settings(params, results)
        figure_folder, sheet_folder = layout.REPORT / "figures", layout.REPORT / "sheets"
        for folder in (figure_folder, sheet_folder):
            folder.mkdir(parents=True, exist_ok=True)

        means, rule = metrics(results), params.report.average_precision
        (layout.REPORT / "metrics.json").write_text(json.dumps(means, indent=2) + "\n")
        compared = significance(results, rule)
        compared.to_csv(layout.REPORT / "significance.tsv", sep="\t", index=False, float_format="%.4g")
        shown = reid_table(results, means, compared, rule, _as_published(params))
        caption = _caption(params, results)
        images = {name: read_score(layout.gan_score(name)) for name in (layout.REAL, *params.generators)}
        of_images = tables.image_table(images, published=params.dataset.name == "market1501")
        tables.write([(shown, caption), (of_images, _image_caption(params, images))], layout.REPORT)

        reid_figures.cmc(results, figure_folder / "cmc.png")
        key = {"trapezoid": "mAP", "step": "mAP_step"}[rule]
        reid_figures.against_alpha(means, params.augmentations, params.alphas, key, figure_folder / "alpha.png")
        for kind in RANK_LISTS:
            _draw_rank_lists(results, kind, sheet_folder / f"{kind}.png")
        sheets = _copy_sheets(params, sheet_folder)
        _write_page((layout.REPORT / "table.html").read_text(), sheets)
        click.echo((layout.REPORT / "table.md").read_text())
        say(f"table and all pictures: {layout.REPORT / 'index.html'}")


def _check_settings(params: Params, results: Results) -> None:
    for row, networks in results.items():
        for network, found in networks.items():
            evaluation = params.evaluation
            wanted = {
                "distances": params.reid[network].distances,
                "queries": evaluation.queries,
                "metric_train": evaluation.metric_train,
            }
            for result in found:
                measured = {
                    "distances": list(result.file["distances"]),
                    "queries": result.file["pooling"],
                    "metric_train": result.file["learnt_from"] or evaluation.metric_train,  # null: nothing was learnt
                }
                if measured != wanted:
                    raise InputError(
                        f"scores of {row}, {network}: params.yaml says {wanted}, they were measured with {measured}: "
                        "run `dvc repro`"
                    )


def _as_published(params: Params) -> bool:
    """Whether the Re-ID table is measured as the paper's."""
    evaluation = params.evaluation
    return params.dataset.name == "market1501" and (evaluation.queries, evaluation.metric_train) == ("single", "real")


def _caption(params: Params, results: Results) -> str:
    first = next(iter(results[layout.REAL].values()))[0].file
    seeds = f"seeds {', '.join(map(str, params.seeds))} (mean ± standard deviation)" if len(params.seeds) > 1 else ""
    unmatched = first["queries_without_match"]
    pool = f"multi-query ({first['pooling']} of the images in {layout.samples('pool')})"
    pooling = "single query" if first["pooling"] == "single" else pool
    parts = [
        f"Data set {params.dataset.name}, profile {params.profile}, {seeds or f'seed {params.seeds[0]}'}, "
        f"{first['device']}.",
        f"Per cent; {pooling}, {first['queries']:,} queries against {first['gallery']:,} gallery images;",
        f"mAP by the {params.report.average_precision} rule.",
        f"*: differs from {layout.REAL} (paired bootstrap over queries, not seeds; p < {LEVEL} each).",
    ]
    learnt_from = {of[0].file["learnt_from"] for of in results[layout.REAL].values()} - {None}
    if learnt_from:
        parts.append(f"Metrics are learnt from the features of {' and '.join(learnt_from)} training images.")
    if unmatched:
        parts.append(f"{unmatched} queries have no match in another camera and count as not found.")
    if _as_published(params):
        parts.append("In brackets: Table 4 of the journal paper.")
    return " ".join(parts)


def _image_caption(params: Params, files: dict[str, dict[str, Any]]) -> str:
    real = files[layout.REAL]
    names = real["definitions"]
    numbers = {file["pairs"] for file in files.values()}
    parts = [
        f"Images of people who are not in the training set, data set {params.dataset.name}, profile {params.profile},",
        f"{' to '.join(f'{number:,}' for number in sorted({min(numbers), max(numbers)}))} pairs, {real['device']}.",
        f"SSIM: {names['ssim']}. IS: {names['classifier']}, mean of {names['splits']} splits.",
        f"mask: black but for the target's pose. DS: detector {names['detector']}. L1: in units of [-1, 1].",
        f"FD: Frechet distance of {names['classifier']}'s features to those of the real targets (real: of these to the",
        f"sources). identity: per cent of images by which {names['identity']}, trained on real images, finds their",
        "person in other cameras, the pair's own two images left out.",
    ]
    if params.dataset.name == "market1501":
        parts.append("In brackets: Tables 1 and 5 of the journal paper (Inception's 2015 graph, SSD300).")
    notes = dict.fromkeys(note for file in files.values() for note in file["notes"])
    return " ".join([*parts, *notes])


def _draw_rank_lists(results: Results, kind: str, path: Path) -> None:
    """For the queries of each network's lists what all rows find, one below the other; the first seed's."""
    tables_of = {split: samples.read(layout.samples(split)).set_index("image") for split in ("query", "gallery")}
    by_row = {f"{row}, {network}": of[0].file[kind] for row, n in results.items() for network, of in n.items()}
    with Archive(tables_of["query"]["archive"].iloc[0]) as archive:
        lists = []
        for number in range(min(len(found) for found in by_row.values())):
            for name, found in by_row.items():
                entry = found[number]
                pictures = [(archive.image(i), of) for i, of in zip(entry["gallery"], entry["kinds"], strict=True)]
                lists.append((name, archive.image(entry["query"]), pictures))
    rank_lists.draw(lists, path)


def _copy_sheets(params: Params, folder: Path) -> list[tuple[str, Path]]:
    """Copy the stages' sheets beside the report, so that the page can be moved; title and copy of each."""
    wanted = [("The data", layout.SAMPLES / "sheet.png"), ("Poses", layout.POSES / "skeletons.png")]
    for generator in params.generators:
        wanted.append((f"Generator {generator}, people not trained on", layout.GAN / generator / "sheet.png"))
        wanted.append((f"Generator {generator}, scored images", layout.gan_score(generator).with_suffix(".png")))
        wanted.append((f"Generator {generator}, whom a Re-ID network sees in them", layout.gan_ranks(generator)))
    alpha = min(params.alphas)
    for name in params.augmentations:
        title = f"Augmented training set {layout.row_name(name, alpha)}"
        wanted.append((title, layout.augmented(name, alpha) / "sheet.png"))
        for network in params.networks:
            row, seed = layout.row_name(name, alpha), params.seeds[0]
            title = f"Features of training people by {network}, trained on {row}"
            wanted.append((title, layout.score(row, network, seed).with_suffix(".png")))
    sheets = []
    for title, path in wanted:
        copy = folder / f"{'-'.join(path.with_suffix('').parts[1:])}.png"
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist: run `dvc repro`")
        shutil.copyfile(path, copy)
        sheets.append((title, copy))
    return [*sheets, *((title, folder / f"{kind}.png") for kind, title in RANK_LISTS.items())]


def _write_page(both_tables: str, sheets: list[tuple[str, Path]]) -> None:
    drawn = [
        ("CMC", layout.REPORT / "figures/cmc.png"),
        ("Against alpha", layout.REPORT / "figures/alpha.png"),
        *sheets,
    ]
    pictures = "\n".join(
        f'<h2>{html.escape(title)}</h2>\n<img src="{path.relative_to(layout.REPORT)}" alt="{html.escape(title)}">'
        for title, path in drawn
    )
    style = (
        "body{font-family:sans-serif;margin:2em auto;max-width:1400px;padding:0 1em}img{max-width:100%}"
        "td,th{padding:.3em .8em;text-align:right}td:first-child,th:first-child{text-align:left}"
    )
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Re-ID data augmentation</title>'
        f"<style>{style}</style></head>\n<body>\n<h1>Re-ID data augmentation</h1>\n{both_tables}"
        f"{pictures}\n</body></html>\n"
    )
    (layout.REPORT / "index.html").write_text(page)
