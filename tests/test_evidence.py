"""docs/evidence: its gains are those of the scores kept there, and README and docs/evidence.md have their numbers."""

import math
import re
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from dvc.repo import Repo

from pipelines.commands import gains, swept

NAMES = sorted(path.stem for path in Path("docs/evidence").glob("*.parquet"))
SCORES = ["Rank-1", "mAP"]
PARTS = {  # of the training set, as lines of a table call them
    "20 people": "20-people",
    "40 people": "40-people",
    "60 people": "60-people",
    "80 people": "80-people",
    "100 people": "128x64",
    "100 people, 2 images of each": "2-images",
    "100 people, 4 images of each": "4-images",
    "100 people, 8 images of each": "8-images",
}
CURVES = ("people", "images")  # of each training person
NETWORKS = {"IDE": "ide", "strong baseline": "strong"}  # as tables call them
GAIN = ["gain", "low", "high"]
CHANGE = ["change", "change_low", "change_high"]  # of a gain, against all people or images
SHARE = ["share", "share_low", "share_high"]


def test_nothing_is_left_to_do():
    """Else `dvc repro docs/evidence/dvc.yaml`, and commit what it writes."""
    with Repo() as repo:
        assert repo.status(targets=["docs/evidence/dvc.yaml"]) == {}


@cache
def kept(name):
    """Mean scores in per cent by (row, network, score) of rows with five seeds, and gains by what they compare."""
    scores = pd.read_parquet(f"docs/evidence/{name}.parquet").astype({"row": str, "network": str})
    scores = scores.assign(**{"Rank-1": scores["first_rank"].eq(1), "mAP": scores["ap_trapezoid"].astype(float)})
    runs = scores.groupby(["row", "network"]).agg({"seed": "nunique", "Rank-1": "mean", "mAP": "mean"})
    runs = runs[runs["seed"] >= 5]
    means = {(*run, score): 100 * float(runs.loc[run, score]) for run in runs.index for score in SCORES}
    over = pd.read_csv(f"docs/evidence/{name}.tsv", sep="\t")
    return means, over.set_index(["row", "network", "over_row", "over_network", "score"]).sort_index()


def numbers(name, row, network, score, kind, base):
    """What is kept of a row and network: its mean, its gain over `base` (row, network), or share of the oracle's.

    Or, on a part of the training set, the change of its gain against that on all of it.
    """
    means, over = kept(name)
    if kind == "change":
        value, _, what = name.partition("-")
        lines = curve(what)
        place = (lines["value"] == value) & (lines["row"] == row) & (lines["network"] == network)
        return lines[place & (lines["score"] == score)].iloc[0][CHANGE].tolist()
    if kind == "value":
        return [means[row, network, score]]
    if kind == "share":
        return [100 * float(number) for number in over.loc[(row, network, *base, score)][SHARE]]
    if (row, network, *base, score) in over.index:
        return [float(number) for number in over.loc[(row, network, *base, score)][GAIN]]
    mean, low, high = over.loc[(*base, row, network, score)][GAIN]
    return [-float(mean), -float(high), -float(low)]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_gains_are_those_of_the_scores(name, tmp_path):
    gains.run(Path(f"docs/evidence/{name}.parquet"), tmp_path / "made", None, "trapezoid", alone=True)
    made, committed = (pd.read_csv(path, sep="\t") for path in (tmp_path / "made.tsv", f"docs/evidence/{name}.tsv"))
    pd.testing.assert_frame_equal(made, committed, rtol=1e-3)


def curve(what):
    return pd.read_csv(f"docs/evidence/{what}.tsv", sep="\t", dtype={"value": str})


def part_at(what, value):
    """The name of the kept scores at a value of a curve."""
    return f"{value}-{what}" if f"{value}-{what}" in NAMES else "128x64"


@pytest.mark.slow
@pytest.mark.parametrize("what", CURVES)
def test_curves_are_those_of_the_scores(what, tmp_path):
    pairs = [(value, Path(f"docs/evidence/{part_at(what, value)}.parquet")) for value in curve(what)["value"].unique()]
    swept.run("", pairs, tmp_path / "made", "trapezoid")
    made, committed = (pd.read_csv(path, sep="\t") for path in (tmp_path / "made.tsv", f"docs/evidence/{what}.tsv"))
    pd.testing.assert_frame_equal(made, committed, rtol=1e-3)


def test_curves_have_the_kept_numbers_of_all_parts():
    """The values of the two curves are the parts of the training set, and all of it: the main scores."""
    found = set()
    for what in CURVES:
        for line in curve(what).itertuples():
            name = part_at(what, line.value)
            place = (name, line.row, line.network, line.score)
            assert [line.mean] == pytest.approx(numbers(*place, "value", None), rel=1e-3)
            if line.row != "real":
                own = [getattr(line, part) for part in [*GAIN, *SHARE]]
                gain, share = (numbers(*place, kind, ("real", line.network)) for kind in ("gain", "share"))
                assert own == pytest.approx([*gain, *(part / 100 for part in share)], rel=1e-3, nan_ok=True), place
            found.add((name, line.value))
    parts = {(name, name.split("-")[0]) for name in PARTS.values() if name != "128x64"}
    assert found == parts | {("128x64", "100"), ("128x64", "all")}


def tables(page):
    """Tables of a page in Markdown: lines of cells; the header comes first."""
    blocks = re.findall(r"(?:^\|.*\n)+", Path(page).read_text(encoding="utf-8"), re.M)
    lines = [[[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines()] for block in blocks]
    return [[block[0], *block[2:]] for block in lines]


def columns(header):
    """Of each column but the first: network, score, and what of it: value, gain, share or change."""
    network = score = ""
    found = []
    for cell in header[1:]:
        named, _, rest = cell.rpartition(": ")
        network = NETWORKS[named] if named else network
        kind = next((name for name in ("gain", "share", "change") if rest.startswith(name)), "value")
        score = rest if kind == "value" else score
        found.append((network, score, kind))
    return found


def kept_as(header, label=""):
    """The name of the kept scores that a header, or a label before its colon, speaks of; the main ones if of none."""
    part, colon, _ = label.rpartition(": ")
    if colon and "`" not in label:
        return PARTS[part]
    return next((name for name in NAMES if re.search(rf"\b{name}\b", header)), "128x64")


def shown(page):
    """Each cell with a number of the tables of gains: (kept name, row, network, score, kind), its base, its text.

    Such a table is of training sets, its columns named after networks, with gains over `real`; or of networks, named in
    backticks, with gains over the first one, trained on `real` or the row that the header names. The header, or the
    line before a colon, says which scores it has of those that are kept.
    """
    for header, *lines in tables(page):
        gained = [cell for cell in header if cell.startswith("gain")]
        named = {cell.rpartition(": ")[0] for cell in header} - {""}
        if gained and named and named <= set(NETWORKS):
            places = [(label.strip("*").rpartition(": ")[2], None) for label, *_ in lines]
        elif any(cell.startswith("gain over") for cell in header):
            row = next((row for row, *_ in kept(kept_as(header[0]))[0] if row in header[0]), "real")
            places = [(row, re.search("`(.+?)`", label)[1]) for label, *_ in lines]
        else:
            continue
        for (row, own), (label, *cells) in zip(places, lines, strict=True):
            name = kept_as(header[0], label)
            for (network, score, kind), cell in zip(columns(header), cells, strict=True):
                base = ("real", network) if own is None else (row, places[0][1])
                yield (name, row, own or network, score, kind), base, cell


@pytest.mark.parametrize("page", ["README.md", "docs/evidence.md"])
def test_pages_have_the_kept_numbers(page):
    checked = set()
    for place, base, cell in shown(page):
        name, row, network, score, kind = place
        if (row, network) == base and kind != "value":
            assert cell == "", (page, *place)
            continue
        if (row, network, score) not in kept(name)[0]:
            assert cell in ("-", ""), (page, *place, "has not been kept")
            continue
        if kind == "change" and name == "128x64":
            assert cell == "", (page, *place)
            continue
        expected = numbers(*place, base)
        if kind == "share" and math.isnan(expected[0]):
            assert cell == "", (page, *place)
            continue
        written = [float(number) for number in re.findall(r"-?\d+\.?\d*", cell)]
        assert written == pytest.approx(expected, abs=0.51 if kind == "share" else 0.0501), (page, *place)
        if kind in ("gain", "change"):
            assert cell.startswith("**") == (expected[1] > 0 or expected[2] < 0), (page, *place, "bold where certain")
        checked.add(place)
    for name in NAMES if page == "docs/evidence.md" else ["128x64"]:
        for row, network, score in kept(name)[0]:
            if page == "docs/evidence.md" or (score == "mAP" and network in NETWORKS.values()):
                assert (name, row, network, score, "value") in checked, f"{page} does not show it"
                if row != "real" and network in NETWORKS.values():
                    assert (name, row, network, score, "gain") in checked, f"{page} does not show its gain"


@pytest.mark.parametrize(
    ("page", "start", "end"),
    [("README.md", "**Does it pay?**", "![Source"), ("docs/evidence.md", "## 100 training", "## `streets`")],
)
def test_intervals_in_prose_are_kept_ones(page, start, end):
    text = Path(page).read_text(encoding="utf-8").partition(start)[2].partition(end)[0]
    prose = re.sub(r"(?m)^(\||    ).*\n", "", text)
    changes = [curve(what)[CHANGE].dropna().set_axis(GAIN, axis=1) for what in CURVES]
    over = pd.concat([kept(name)[1] for name in NAMES] + changes)
    signs = [over[GAIN], -over[["gain", "high", "low"]].set_axis(GAIN, axis=1)]
    of_gains = [*pd.concat(signs).itertuples(index=False, name=None)]
    of_shares = [*(100 * over[SHARE].dropna()).itertuples(index=False, name=None)]
    found = re.findall(r"(?:(-?\d+(?:\.\d)?)(?:\s%)?\s)?\[(-?\d+(?:\.\d)?),\s(-?\d+(?:\.\d)?)\]", prose)
    assert len(found) == len(re.findall(r"\[[-\d]", prose)) >= 1
    for mean, low, high in found:
        kinds, within = (of_gains, 0.0501) if "." in low else (of_shares, 0.501)
        written = [float(number) for number in (mean, low, high) if number]  # the mean where it stands before
        near = [kind for kind in kinds if written == pytest.approx(kind[-len(written) :], abs=within)]
        assert near, f"{page}: {mean} [{low}, {high}]"
