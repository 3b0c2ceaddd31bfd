"""The tables: rows of scores as Markdown, LaTeX and HTML, and the published numbers beside them."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.report.published import KEYS, TABLE_5

# Title and decimals of the columns of the generators' table.
IMAGE_SCORES = {
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


def image_table(files: dict[str, dict[str, Any]], published: bool) -> pd.DataFrame:
    """One line a generator, and one of the real images: scores of the images themselves, as text.

    A column that no file has is left out; a score that only some files lack is a dash.

    Args:
        files: `real` or generator -> content of its file in data/gan_scores.
        published: put the paper's numbers behind ours.
    """
    of_images = {row.generator.rpartition("/")[2]: dict(zip(KEYS, row.published, strict=True)) for row in TABLE_5}
    lines = []
    for name, file in files.items():
        line = {"images": name}
        for key, (title, decimals) in IMAGE_SCORES.items():
            if any(key in other["scores"] for other in files.values()):
                theirs = of_images.get(name, {}).get(key) if published else None
                ours = f"{file['scores'][key]:.{decimals}f}" if key in file["scores"] else "-"
                line[title] = ours if theirs is None else f"{ours} ({theirs:.3f})"
        lines.append(line)
    return pd.DataFrame(lines)


def write(shown: list[tuple[pd.DataFrame, str]], folder: Path) -> None:
    """Write tables, each with its caption, to a folder: `table.md`, `table.tex` and `table.html`."""
    markdown, latex, page = [], [], []
    for lines, caption in shown:
        alignment = ["left", *["right"] * (lines.shape[1] - 1)]
        markdown += [lines.to_markdown(index=False, colalign=alignment, disable_numparse=True), caption]
        columns = "l" + "r" * (lines.shape[1] - 1)
        styled = lines.style.hide(axis="index").format(escape="latex").format_index(escape="latex", axis=1)
        latex.append(styled.to_latex(hrules=True, column_format=columns, caption=caption.replace("_", r"\_")))
        page.append(f"{lines.to_html(index=False, border=0)}\n<p>{html.escape(caption)}</p>\n")
    (folder / "table.md").write_text("\n\n".join(markdown) + "\n")
    (folder / "table.tex").write_text("\n".join(latex))
    (folder / "table.html").write_text("".join(page))
