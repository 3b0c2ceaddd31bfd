"""Tables as Markdown, LaTeX, and comma- or tab-separated values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from reid.common import atomic

LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{character: f"\\{character}" for character in "&%$#_{}"},
    }
)


class Captioned(NamedTuple):
    """A table with the words around it."""

    title: str  # on the page alone
    table: pd.DataFrame  # of texts; its first column has the names
    caption: str


def markdown(table: pd.DataFrame) -> str:
    """A table as Markdown: the first column to the left, the others to the right."""
    alignment = ["left", *["right"] * (table.shape[1] - 1)]
    return table.to_markdown(index=False, colalign=alignment, disable_numparse=True)


def latex(table: pd.DataFrame, caption: str) -> str:
    """A table as a LaTeX environment for the package booktabs; special characters of both are escaped."""
    columns = "l" + "r" * (table.shape[1] - 1)
    styled = table.style.hide(axis="index").format(escape="latex").format_index(escape="latex", axis=1)
    return styled.to_latex(hrules=True, column_format=columns, caption=caption.translate(LATEX))


def write(tables: list[Captioned], folder: Path) -> None:
    """Write tables with their captions to `table.md` and `table.tex` in a folder, and each alone to `files` of it."""
    parts = [part for _, table, caption in tables for part in (markdown(table), caption)]
    atomic.write(folder / "table.md", "\n\n".join(parts) + "\n")
    atomic.write(folder / "table.tex", "\n".join(latex(table, caption) for _, table, caption in tables))
    for title, table, _ in tables:
        for name, separator in zip(files(title), ",\t", strict=True):
            atomic.write(folder / name, table.to_csv(sep=separator, index=False))


def files(title: str) -> list[str]:
    """Names of the CSV and the TSV file of a table, in the report's folder.

    Example:
        >>> files("Table 8: lambda")
        ['tables/table-8-lambda.csv', 'tables/table-8-lambda.tsv']
    """
    name = "-".join(re.findall(r"\w+", title.lower()))
    return [f"tables/{name}.csv", f"tables/{name}.tsv"]
