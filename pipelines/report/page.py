"""The page: what was run, the tables, figures and sheets, by the templates beside this file."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from pipelines.report.colours import colour
from pipelines.report.reid_table import GAIN
from pipelines.report.tables import Captioned, files
from pipelines.templates import templates
from reid.common import atomic
from reid.pictures.sheets import shrink

TEMPLATES = templates("pipelines.report")
SMALL = (640, 400)  # most pixels of the picture that the page loads, in width and height; a click shows all of them
HIGH = 240  # pixels of the page that a picture is high, at most; those of a screen may be finer
WIDE = 2.2  # width by height, from which on a picture has twice the place
COLOURED = ("training set", "images", "generator")  # titles of first columns that name what has a colour


class Illustration(NamedTuple):
    """A picture on the page."""

    title: str
    text: str  # what it shows
    path: Path
    details: str = ""  # a page of the report about it


def write_tables(tables: list[Captioned], folder: Path) -> None:
    """Write `table.html`, the tables with their captions, to put into other pages."""
    atomic.write(folder / "table.html", render("tables.html", tables=[_parts(table, []) for table in tables]))


def write_page(
    facts: dict[str, str],
    tables: list[Captioned],
    figures: list[Illustration],
    sheets: dict[str, list[Illustration]],
    downloads: dict[str, str],
    folder: Path,
) -> None:
    """Write `index.html`, and the small pictures that it shows to `small/`.

    It names all files by their places in the report's folder, so that this can be moved.

    Args:
        facts: what was run: name of a fact -> the fact.
        tables: with their captions; `pipelines.report.tables.write` has written them.
        figures: in the folder, as are the sheets.
        sheets: heading -> sheets below it.
        downloads: file in the folder -> what it has.
        folder: of the report.
    """
    sections = {
        heading: [_shown(picture, folder) for picture in pictures]
        for heading, pictures in {"Figures": figures, **sheets}.items()
        if pictures
    }
    parts = [_parts(table, files(table.title)) for table in tables]
    page = render("index.html", facts=facts, tables=parts, sections=sections, downloads=downloads)
    atomic.write(folder / "index.html", page)


def render(template: str, **values: object) -> str:
    """A template of this folder, filled in."""
    return TEMPLATES.get_template(template).render(**values)


def _shown(picture: Illustration, folder: Path) -> dict[str, object]:
    """What the template of the page shows of a picture; writes a small one."""
    source = picture.path.relative_to(folder)
    small = folder / "small" / f"{'-'.join(source.with_suffix('').parts)}.jpg"
    width, height = shrink(picture.path, small, SMALL)
    scale = min(1.0, HIGH / height)
    return {
        "title": picture.title,
        "text": picture.text,
        "details": picture.details,
        "source": source.as_posix(),
        "small": small.relative_to(folder).as_posix(),
        "width": round(scale * width),
        "height": round(scale * height),
        "wide": width > WIDE * height,
    }


def _parts(captioned: Captioned, downloads: list[str]) -> dict[str, object]:
    """What the template of a table is filled with; a gain stands in the cell of what it is the gain in."""
    title, table, caption = captioned
    shown = table[[column for column in table.columns if not column.endswith(GAIN)]]
    beside = table.reindex(columns=[f"{column}{GAIN}" for column in shown], fill_value="")
    has_colours = table.columns[0] in COLOURED
    lines = [
        (colour(values[0]) if has_colours else "", list(zip(values, gains, strict=True)))
        for values, gains in zip(shown.to_numpy().tolist(), beside.to_numpy().tolist(), strict=True)
    ]
    columns = _grouped(shown)
    return {"title": title, "columns": columns, "lines": lines, "caption": caption, "files": downloads}


def _grouped(table: pd.DataFrame) -> list[tuple[str, list[str]]]:
    """Group neighbouring columns `GROUP: TITLE` as (group, titles); a column without a group has the group ''."""
    split = [column.rpartition(": ") for column in table.columns]
    return [(group, [title for _, _, title in titles]) for group, titles in groupby(split, lambda parts: parts[0])]
