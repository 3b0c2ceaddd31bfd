"""`swept`: gains against the values of a parameter, from kept scores of each."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import run
from score_files import QUERIES, write

from pipelines import layout
from pipelines.commands import gains
from reid.files import samples

MEANS = {"20.parquet": {"real": 0.2, "full-a2": 0.3, "views-a2": 0.4}, "all.parquet": {"real": 0.5, "full-a2": 0.4}}


@pytest.fixture
def kept(project):
    """Scores of two values by three seeds, alike for all queries; of the second there is no oracle."""
    query = samples.real_table(
        [f"{n}.jpg" for n in range(QUERIES)], "x.zip", [n // 2 for n in range(QUERIES)], [1] * QUERIES
    )
    samples.write(query, layout.samples("query"))
    for name, means in MEANS.items():
        for file in layout.SCORES.glob("*"):
            file.unlink()
        for row, mean in means.items():
            for seed in (0, 1, 2):
                write(row, seed, np.full(QUERIES, row != "real"), np.full(QUERIES, mean))
        gains.run(None, None, Path(name), "trapezoid")


def swept(*values, **options):
    pairs = [part for value in values for part in ("--at", value, f"{value}.parquet")]
    return run("swept", "people", *pairs, "--out", "people", **options)


def test_rows_that_all_values_have_are_compared(kept):
    assert "people.tsv, people.png" in swept("20", "all")
    table = pd.read_csv("people.tsv", sep="\t").set_index(["value", "row", "score"])
    assert list(table.index) == [
        (value, row, score) for value in ("20", "all") for row in ("real", "full-a2") for score in ("Rank-1", "mAP")
    ]
    of_map = table.xs("mAP", level="score")
    assert of_map["mean"].tolist() == pytest.approx([20, 30, 50, 40])
    assert of_map.loc[("20", "full-a2"), ["gain", "low", "high"]].tolist() == pytest.approx([10, 10, 10])
    assert of_map.loc[("all", "full-a2"), ["gain", "low", "high"]].tolist() == pytest.approx([-10, -10, -10])
    assert of_map.xs("real", level="row")["gain"].isna().all()
    assert table.loc[("all", "full-a2", "Rank-1"), ["mean", "gain"]].tolist() == [100, 100]
    change = ["change", "change_low", "change_high"]
    assert of_map.loc[("20", "full-a2"), change].tolist() == pytest.approx([20, 20, 20]), (
        "a gain of 10, and of -10 in all"
    )
    assert table.loc[("20", "full-a2", "Rank-1"), change].tolist() == pytest.approx([0, 0, 0])
    assert of_map.drop(("20", "full-a2"))[change].isna().all(axis=None)
    assert Path("people.png").stat().st_size > 1_000


def test_a_change_needs_as_many_seeds(kept):
    table = pd.read_parquet("20.parquet")
    more = [table, *(table[table["seed"] == 0].assign(seed=seed) for seed in (3, 4))]
    pd.concat(more).to_parquet("more.parquet")
    swept("more", "all")
    table = pd.read_csv("people.tsv", sep="\t").set_index(["value", "row", "score"])
    assert table.loc[("more", "full-a2", "mAP"), "gain"] == pytest.approx(10)
    assert table["change"].isna().all()


def test_the_oracles_share_stands_beside_the_gain(kept):
    swept("20")
    table = pd.read_csv("people.tsv", sep="\t").set_index(["row", "score"])
    assert table.loc[("full-a2", "mAP"), ["share", "share_low", "share_high"]].tolist() == pytest.approx([0.5] * 3)


def test_what_cannot_be_compared_is_refused(kept):
    assert "a value comes twice: 20, 20" in swept("20", "20", fails=True)
    table = pd.read_parquet("20.parquet")
    other = table.assign(row=table["row"].astype(str).replace("full-a2", "mine-a2"))
    other.to_parquet("other.parquet")
    assert "no row besides real that all have: other.parquet, all.parquet" in swept("other", "all", fails=True)
    table.assign(pooling="average").to_parquet("average.parquet")
    table[table["query"] != "0.jpg"].to_parquet("fewer.parquet")
    for value in ("average", "fewer"):
        said = swept("20", value, fails=True)
        assert f"{value}.parquet was measured on other queries, or in another way, than 20.parquet" in said
    assert not Path("people.tsv").exists()
