"""docs/evidence: its gains are those of the scores kept there, and README has its numbers."""

import re
from pathlib import Path

import pandas as pd
import pytest
from dvc.repo import Repo

NETWORKS = {"IDE": "ide", "strong baseline": "strong"}


def test_nothing_is_left_to_do():
    """Else `dvc repro docs/evidence/dvc.yaml`, and commit what it writes."""
    with Repo() as repo:
        assert repo.status(targets=["docs/evidence/dvc.yaml"]) == {}


def tables(page: str) -> list[list[list[str]]]:
    """Tables of a page in Markdown: lists of lines of cells, without emphasis; the first line is the header."""
    blocks = re.findall(r"(?:^\|.*\n)+", Path(page).read_text(encoding="utf-8"), re.M)
    plain = [re.sub(r"[*\\]|\(.*?\)", "", block) for block in blocks]
    lines = [[[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines()] for block in plain]
    return [[block[0], *block[2:]] for block in lines]


def columns(header: list[str]) -> list[tuple[str, str, str]]:
    """Of each column but the first: network, score, and what of it: value or gain."""
    network = score = ""
    found = []
    for cell in header[1:]:
        named, _, rest = cell.rpartition(": ")
        network = NETWORKS[named] if named else network
        kind = "gain" if rest == "gain" else "value"
        score = rest if kind == "value" else score
        found.append((network, score, kind))
    return found


def test_rows_have_the_kept_numbers():
    page = "README.md"
    scores = pd.read_parquet("docs/evidence/128x64.parquet").astype({"row": str, "network": str})
    gains = pd.read_csv("docs/evidence/128x64.tsv", sep="\t")
    over_real = gains[(gains["over_row"] == "real") & (gains["network"] == gains["over_network"])]
    over_real = over_real.set_index(["row", "network", "score"])
    checked = set()
    for header, *lines in tables(page):
        if "gain" not in header or not any(cell.startswith(f"{name}: ") for name in NETWORKS for cell in header):
            continue
        for row, *cells in lines:
            for (network, score, kind), cell in zip(columns(header), cells, strict=True):
                own = scores[(scores["row"] == row) & (scores["network"] == network)]
                if cell in ("", "-") or own["seed"].nunique() < 5:
                    continue
                value = own["first_rank"].eq(1) if score == "Rank-1" else own["ap_trapezoid"]
                expected = [100 * float(value.mean())]
                if kind == "gain":
                    expected = [float(over_real.loc[(row, network, score)][name]) for name in ("gain", "low", "high")]
                written = [float(number) for number in re.findall(r"-?\d+\.\d", cell)]
                assert written == pytest.approx(expected, abs=0.051), f"{page}: {row}, {network}, {score}, {kind}"
                checked.add((row, network, kind))
    rows = {"full-a2", "full-a4", "views-a4"}
    assert {(row, network, "gain") for row in rows for network in NETWORKS.values()} <= checked
