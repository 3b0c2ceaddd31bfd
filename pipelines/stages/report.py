"""Gather the scores into the table, its figures, and one page of pictures."""

from __future__ import annotations

import html
import json
import shutil
from pathlib import Path
from typing import Any

import click

from pipelines import figures, layout, tables
from pipelines.console import stage
from pipelines.params import Params
from reid import samples
from reid.images import Archive


def run(params: Params) -> None:
    """Write `data/report/`: the table, metrics.json, figures/, sheets/ and index.html.

    The rows are those that params.yaml names, whatever else lies in `data/scores`.

    Raises:
        FileNotFoundError: a score is missing.
    """
    rows = [layout.REAL, *(layout.row_name(g, a) for g in params.augmentations for a in params.alphas)]
    with stage("report", f"{len(rows)} rows: {', '.join(rows)}") as say:
        scores = {row: {network: _read(layout.score(row, network)) for network in params.networks} for row in rows}
        figure_folder, sheet_folder = layout.REPORT / "figures", layout.REPORT / "sheets"
        for folder in (figure_folder, sheet_folder):
            folder.mkdir(parents=True, exist_ok=True)

        metrics = tables.metrics(scores)
        (layout.REPORT / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
        shown = tables.table(scores, params.report.average_precision, published=params.dataset.name == "market1501")
        caption = _caption(params, scores)
        images = {name: _read(layout.gan_score(name)) for name in (layout.REAL, *params.generators)}
        of_images = tables.image_table(images, published=params.dataset.name == "market1501")
        tables.write([(shown, caption), (of_images, _image_caption(params, images))], layout.REPORT)

        figures.cmc(scores, figure_folder / "cmc.png")
        key = {"trapezoid": "mAP", "step": "mAP_step"}[params.report.average_precision]
        figures.against_alpha(metrics, params.augmentations, params.alphas, key, figure_folder / "alpha.png")
        _draw_rank_lists(scores, sheet_folder / "ranks.png")
        sheets = _copy_sheets(params, sheet_folder)
        _write_page((layout.REPORT / "table.html").read_text(), sheets)
        click.echo((layout.REPORT / "table.md").read_text())
        say(f"table and all pictures: {layout.REPORT / 'index.html'}")


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: params.yaml names this row; run `dvc repro`")
    score: dict[str, Any] = json.loads(path.read_text())
    return score


def _caption(params: Params, scores: dict[str, dict[str, Any]]) -> str:
    first = next(iter(scores[layout.REAL].values()))
    unmatched = first["queries_without_match"]
    parts = [
        f"Data set {params.dataset.name}, profile {params.profile}, seed {params.seed}, {first['device']}.",
        f"Per cent; single query, {first['queries']:,} queries against {first['gallery']:,} gallery images;",
        f"mAP by the {params.report.average_precision} rule.",
    ]
    if unmatched:
        parts.append(f"{unmatched} queries have no match in another camera and count as not found.")
    if params.dataset.name == "market1501":
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


def _draw_rank_lists(scores: dict[str, dict[str, Any]], path: Path) -> None:
    """For each query the lists of all rows, one below the other."""
    tables_of = {split: samples.read(layout.samples(split)).set_index("image") for split in ("query", "gallery")}
    with Archive(tables_of["query"]["archive"].iloc[0]) as archive:
        lists = []
        by_row = {f"{row}, {network}": file["rank_lists"] for row, n in scores.items() for network, file in n.items()}
        for number in range(min(len(found) for found in by_row.values())):
            for name, found in by_row.items():
                entry = found[number]
                pictures = [(archive.image(i), hit) for i, hit in zip(entry["gallery"], entry["hit"], strict=True)]
                lists.append((name, archive.image(entry["query"]), pictures))
    figures.rank_lists(lists, path)


def _copy_sheets(params: Params, folder: Path) -> list[tuple[str, Path]]:
    """Copy the stages' sheets beside the report, so that the page can be moved; title and copy of each."""
    wanted = [("The data", layout.SAMPLES / "sheet.png"), ("Poses", layout.POSES / "skeletons.png")]
    for generator in params.generators:
        wanted.append((f"Generator {generator}, people not trained on", layout.GAN / generator / "sheet.png"))
        wanted.append((f"Generator {generator}, scored images", layout.gan_score(generator).with_suffix(".png")))
    alpha = min(params.alphas)
    for name in params.augmentations:
        title = f"Augmented training set {layout.row_name(name, alpha)}"
        wanted.append((title, layout.augmented(name, alpha) / "sheet.png"))
    sheets = []
    for title, path in wanted:
        copy = folder / f"{'-'.join(path.with_suffix('').parts[1:])}.png"
        shutil.copyfile(path, copy)
        sheets.append((title, copy))
    return [*sheets, ("Rank lists", folder / "ranks.png")]


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
