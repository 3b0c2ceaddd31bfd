"""The table: rows of scores as Markdown, LaTeX and HTML, and the published numbers beside them."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import pandas as pd

Metrics = dict[str, dict[str, dict[str, dict[str, float]]]]  # row -> network -> distance -> score

# Table 4 of the journal paper: Market-1501, per cent (Rank-1, mAP by the trapezoid rule).
PUBLISHED: dict[tuple[str, str, str], tuple[float, float]] = {
    ("real", "ide", "euclidean"): (73.9, 48.8),
    ("baseline-a2", "ide", "euclidean"): (68.1, 42.82),
    ("baseline-a10", "ide", "euclidean"): (59.8, 34.5),
    ("full-a2", "ide", "euclidean"): (78.9, 56.9),
    ("full-a10", "ide", "euclidean"): (78.5, 55.9),
}


def metrics(scores: dict[str, dict[str, Any]]) -> Metrics:
    """metrics.json from the score files: row -> network -> distance -> {rank1, rank5, rank10, mAP, mAP_step}.

    Args:
        scores: row -> network -> content of its score file.
    """
    kept = ("rank1", "rank5", "rank10", "mAP", "mAP_step")
    return {
        row: {
            network: {name: {key: score[key] for key in kept} for name, score in file["distances"].items()}
            for network, file in networks.items()
        }
        for row, networks in scores.items()
    }


def table(scores: dict[str, dict[str, Any]], average_precision: str, published: bool) -> pd.DataFrame:
    """One line a row; Rank-1 and mAP for each network and distance, as text.

    Args:
        scores: row -> network -> content of its score file.
        average_precision: `trapezoid` or `step`: which mAP is shown.
        published: put the paper's numbers behind ours.
    """
    key = {"trapezoid": "mAP", "step": "mAP_step"}[average_precision]
    lines = []
    for row, networks in scores.items():
        trained_on = next(iter(networks.values()))["trained_on"]
        line = {"training set": row, "images": f"{trained_on['images']:,}", "generated": f"{trained_on['generated']:,}"}
        for network, file in networks.items():
            for name, score in file["distances"].items():
                theirs = PUBLISHED.get((row, network, name)) if published else None
                for place, (title, value) in enumerate((("Rank-1", score["rank1"]), ("mAP", score[key]))):
                    like = title == "Rank-1" or average_precision == "trapezoid"  # published mAPs are the trapezoid's
                    paper = f" ({theirs[place]:.1f})" if theirs and like else ""
                    line[f"{network} + {name}: {title}"] = f"{value:.1f}{paper}"
        lines.append(line)
    return pd.DataFrame(lines)


def write(shown: pd.DataFrame, caption: str, folder: Path) -> None:
    """Write `table.md`, `table.tex` and `table.html` to a folder."""
    right = ["left", *["right"] * (shown.shape[1] - 1)]
    markdown = shown.to_markdown(index=False, colalign=right, disable_numparse=True)
    (folder / "table.md").write_text(f"{markdown}\n\n{caption}\n")
    columns = "l" + "r" * (shown.shape[1] - 1)
    styled = shown.style.hide(axis="index").format(escape="latex").format_index(escape="latex", axis=1)
    latex = styled.to_latex(hrules=True, column_format=columns, caption=caption.replace("_", r"\_"))
    (folder / "table.tex").write_text(latex)
    (folder / "table.html").write_text(f"{shown.to_html(index=False, border=0)}\n<p>{html.escape(caption)}</p>\n")
