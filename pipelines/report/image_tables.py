"""Tables of generators' scores: the report's own, and Tables 5 to 11 of the journal paper.

A score file is the content of a JSON file that score-gan wrote: `scores`, what they were measured by, and notes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipelines.report.published import FEATURES, KEYS, SOURCES, TABLE_1, TABLE_5, TABLES
from reid.files.samples import REAL

# Title and decimals of each score.
SCORES = {
    "ssim": ("SSIM", 3),
    "is": ("IS", 3),
    "mask_ssim": ("mask-SSIM", 3),
    "mask_is": ("mask-IS", 3),
    "ds": ("DS", 3),
    "l1": ("L1", 3),
    "fd": ("FD", 1),
    "identity_rank1": ("identity Rank-1", 1),
    "identity_mAP": ("identity mAP", 1),
}
ABLATED = (*KEYS, "l1", "fd", "identity_rank1")  # scores in Tables 5 to 11: the paper's, then ours

ScoreFile = dict[str, Any]


def image_table(files: Mapping[str, ScoreFile], published: bool) -> pd.DataFrame:
    """One line a generator, and one of the real images: scores of the images themselves, as text.

    A score that no file has is no column; one that only some files lack is a dash there.

    Args:
        files: `real` or a generator's name -> its score file.
        published: whether to put the numbers of the paper's Tables 1 and 5 behind ours, in brackets.
    """
    paper = {row.generator: row.published for row in (*TABLE_1, *TABLE_5)} if published else {}
    keys = [key for key in SCORES if any(key in file["scores"] for file in files.values())]
    return pd.DataFrame([{"images": name, **_cells(file, keys, paper.get(name))} for name, file in files.items()])


def ablation_tables(files: Mapping[str, ScoreFile], published: bool) -> dict[str, pd.DataFrame]:
    """Tables 5 to 11 of the journal paper: title of a table -> one line a variant, its scores as text.

    A table has the lines of those generators of `pipelines.report.published.TABLES` that there are files of; it is left
    out where these are fewer than two.

    Args:
        files: `real` or a generator's name -> its score file.
        published: whether to put the paper's numbers behind ours, in brackets.
    """
    tables = {}
    for title, rows in TABLES.items():
        there = [row for row in rows if row.generator in files]
        if len([row for row in there if row.generator != REAL]) > 1:
            paper = [row.published if published else None for row in there]
            cells = [_cells(files[row.generator], ABLATED, of) for row, of in zip(there, paper, strict=True)]
            tables[title] = pd.DataFrame([{"": row.title, **of} for row, of in zip(there, cells, strict=True)])
    return tables


def sources_table(scored: Mapping[str, pd.DataFrame], published: bool) -> pd.DataFrame:
    """Scores by number of sources (Tables 1 and 2 of the WACV 2020 paper), as text: one line a generator and number.

    Args:
        scored: generator -> what `score-sources` wrote.
        published: whether to put the paper's numbers behind ours, in brackets.
    """
    lines = []
    for name, table in scored.items():
        for count, choices in table.groupby("sources"):
            paper = dict(zip(KEYS, SOURCES.get((name, int(str(count))), ()), strict=False)) if published else {}
            line = {"images": name, "sources": str(count)}
            for key in (key for key in SCORES if key in table):
                title, decimals = SCORES[key]
                line[title] = f"{choices[key].mean():.{decimals}f}"
                line[title] += f" ± {choices[key].std():.{decimals}f}" if len(choices) > 1 else ""
                line[title] += f" ({paper[key]:.3f})" if key in paper else ""
            lines.append(line)
    return pd.DataFrame(lines).fillna("-")


def features_table(scored: Mapping[str, pd.DataFrame], published: bool) -> pd.DataFrame:
    """Embeddings of people as Re-ID features (Table 2 of the CVPR 2018 paper), as text: one line for each kind of them.

    Args:
        scored: generator -> what `score-features` wrote.
        published: whether to put the paper's numbers behind ours, in brackets.
    """
    lines = []
    for name, table in scored.items():
        columns = ["features", "dimensions", "rank1", "mAP"]
        for features, dimensions, *scores in table[columns].itertuples(index=False, name=None):
            paper = FEATURES.get((name, features)) if published else None
            cells = {"generator": name, "features": features, "dimensions": str(dimensions or "-")}
            for place, (title, value) in enumerate(zip(("Rank-1", "mAP"), scores, strict=True)):
                cells[title] = f"{value:.1f}" + (f" ({paper[place]:.1f})" if paper else "")
            lines.append(cells)
    return pd.DataFrame(lines)


def notes(files: Mapping[str, ScoreFile]) -> list[str]:
    """What the score files say of missing scores, each note once."""
    return list(dict.fromkeys(note for file in files.values() for note in file["notes"]))


def _cells(file: ScoreFile, keys: list[str] | tuple[str, ...], paper: tuple[float, ...] | None) -> dict[str, str]:
    """Title -> value of each score, with the paper's behind it where it has one; a missing score is a dash."""
    published = dict(zip(KEYS, paper, strict=True)) if paper else {}
    cells = {}
    for key in keys:
        title, decimals = SCORES[key]
        ours = f"{file['scores'][key]:.{decimals}f}" if key in file["scores"] else "-"
        cells[title] = f"{ours} ({published[key]:.3f})" if key in published else ours
    return cells
