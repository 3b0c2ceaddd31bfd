"""The page: what was run, the tables, figures and sheets, by the templates beside this file."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from pipelines.report.tables import Captioned
from reid.common import atomic

TEMPLATES = Environment(
    loader=PackageLoader("pipelines.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


class Illustration(NamedTuple):
    """A picture on the page."""

    title: str
    text: str  # what it shows
    path: Path


def write_tables(tables: list[Captioned], folder: Path) -> None:
    """Write `table.html`, the tables with their captions, to put into other pages."""
    atomic.write(folder / "table.html", _render("tables.html", tables=[_parts(table) for table in tables]))


def write_page(
    facts: dict[str, str],
    tables: list[Captioned],
    figures: list[Illustration],
    sheets: dict[str, list[Illustration]],
    folder: Path,
) -> None:
    """Write `index.html`; it names pictures by their places in the report's folder, so that this can be moved.

    Args:
        facts: what was run: name of a fact -> the fact.
        tables: with their captions.
        figures: in the folder, as are the sheets.
        sheets: heading -> sheets below it.
        folder: of the report.
    """
    sections = {
        heading: [
            {"title": title, "text": text, "source": path.relative_to(folder).as_posix()}
            for title, text, path in pictures
        ]
        for heading, pictures in {"Figures": figures, **sheets}.items()
    }
    page = _render("index.html", facts=facts, tables=[_parts(table) for table in tables], sections=sections)
    atomic.write(folder / "index.html", page)


def _render(template: str, **values: object) -> str:
    return TEMPLATES.get_template(template).render(**values)


def _parts(captioned: Captioned) -> dict[str, object]:
    """What the template of a table is filled with."""
    title, table, caption = captioned
    return {"title": title, "columns": _grouped(table), "lines": table.to_numpy().tolist(), "caption": caption}


def _grouped(table: pd.DataFrame) -> list[tuple[str, list[str]]]:
    """Group neighbouring columns `GROUP: TITLE` as (group, titles); a column without a group has the group ''."""
    split = [column.rpartition(": ") for column in table.columns]
    return [(group, [title for _, _, title in titles]) for group, titles in groupby(split, lambda parts: parts[0])]
