"""`swept`: gains against the values of a parameter, from kept scores of each."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import run
from score_files import QUERIES, write

from pipelines import layout
from pipelines.commands import gains
from reid.evaluation.gains import gain
from reid.files import samples

CHANGE = ["change", "change_low", "change_high"]
GAIN = ["gain", "low", "high"]
PLACE = ["value", "row", "network", "distance", "score"]


def keep(name, rows, seeds=(0, 1, 2)):
    """Write NAME.parquet: random scores of these rows, each a name and a network."""
    random = np.random.default_rng([*name.encode()])
    for file in layout.SCORES.glob("*"):
        file.unlink()
    for number, (row, network) in enumerate(rows):
        for seed in seeds:
            hits = random.random(QUERIES) < 0.4 + 0.1 * number
            write(row, seed, hits, random.uniform(0, 0.5 + 0.1 * number, QUERIES), network)
    gains.run(None, None, path := Path(f"{name}.parquet"), "trapezoid")
    its = pd.read_parquet(path)
    its.assign(ap_step=its["ap_trapezoid"] ** 2).to_parquet(path)  # by which gains differ


@pytest.fixture
def kept(project):
    """Scores of three values: all have `real` and `full-a2` by `ide`, one the oracle, two another network each."""
    query = samples.real_table(
        [f"{n}.jpg" for n in range(QUERIES)], "x.zip", [n // 4 for n in range(QUERIES)], [1] * QUERIES
    )
    samples.write(query, layout.samples("query"))
    keep("20", [("real", "ide"), ("full-a2", "ide"), ("views-a2", "ide"), ("real", "strong"), ("full-a2", "strong")])
    keep("50", [("real", "ide"), ("full-a2", "ide")])
    keep("all", [("real", "ide"), ("full-a2", "ide"), ("real", "wide"), ("full-a2", "wide")])


def swept(*values, **options):
    pairs = [part for value in values for part in ("--at", value, f"{value}.parquet")]
    rule = ("--rule", options.pop("rule")) if "rule" in options else ()
    return run("swept", "people", *pairs, "--out", "people", *rule, **options)


def table():
    return pd.read_csv("people.tsv", sep="\t", dtype={"value": str}).set_index(PLACE)


def values(name, row, score, rule, network="ide"):
    """(S, Q), read run by run."""
    its = pd.read_parquet(f"{name}.parquet")
    runs = []
    for seed in (0, 1, 2):
        one = its[(its["row"] == row) & (its["network"] == network) & (its["seed"] == seed)]
        column = one["first_rank"] == 1 if score == "Rank-1" else one[f"ap_{rule}"]
        runs.append([float(value) for _, value in sorted(zip(one["query"], column, strict=True))])
    return np.array(runs)


@pytest.mark.parametrize("rule", ["trapezoid", "step"])
def test_gains_and_their_changes(kept, rule):
    names = ("20", "50", "all")
    assert "people.tsv, people.png" in swept(*names, rule=rule)
    found = table()
    assert list(found.index) == [
        (value, row, "ide", "euclidean", score)
        for value in names
        for row in ("real", "full-a2")
        for score in ("Rank-1", "mAP")
    ], "of what all have"
    people = np.array([number // 4 for number in sorted(range(QUERIES), key=str)])
    for score in ("Rank-1", "mAP"):
        of = {(name, row): values(name, row, score, rule) for name in names for row in ("real", "full-a2")}
        for (name, row), own in of.items():
            line = found.loc[(name, row, "ide", "euclidean", score)]
            assert line["mean"] == pytest.approx(100 * own.mean(), rel=1e-3)
            if row == "real":
                assert line[[*GAIN, *CHANGE]].isna().all()
            else:
                expected = 100 * np.array(gain(own, of[name, "real"], people))
                assert line[GAIN].tolist() == pytest.approx(expected, rel=1e-3, abs=1e-3)
        for name in ("20", "50"):
            more = of[name, "full-a2"] - of[name, "real"] - of["all", "full-a2"] + of["all", "real"]
            expected = 100 * np.array(gain(more, np.zeros_like(more), people))
            line = found.loc[(name, "full-a2", "ide", "euclidean", score)]
            assert line[CHANGE].tolist() == pytest.approx(expected, rel=1e-3, abs=1e-3)
        assert found.loc[("all", "full-a2", "ide", "euclidean", score), CHANGE].isna().all()
    assert Path("people.png").stat().st_size > 1_000


def test_the_oracles_share_stands_beside_the_gain(kept):
    swept("20")
    line = table().loc[("20", "full-a2", "ide", "euclidean", "mAP")]
    oracle = table().loc[("20", "views-a2", "ide", "euclidean", "mAP")]
    assert line["share"] == pytest.approx(line["gain"] / oracle["gain"], rel=2e-3)
    assert line["share_low"] < line["share"] < line["share_high"]


def test_a_distance_of_one_value_alone_is_not_shown(kept):
    its = pd.read_parquet("20.parquet").astype({"distance": str})
    pd.concat([its, its.assign(distance="kissme")]).to_parquet("more.parquet")
    swept("more", "all")
    assert set(table().index.get_level_values("distance")) == {"euclidean"}


def test_a_change_needs_as_many_seeds(kept):
    keep("more", [("real", "ide"), ("full-a2", "ide")], seeds=range(5))
    swept("more", "all")
    assert table().loc[("more", "full-a2", "ide", "euclidean", "mAP"), GAIN].notna().all()
    assert table()["change"].isna().all()


def test_what_lacks_seeds_is_said(kept):
    its = pd.read_parquet("20.parquet")
    its[(its["row"] != "full-a2") | (its["seed"] > 0)].to_parquet("few.parquet")
    assert "left out at few: full-a2, ide: 2 seeds measured" in swept("few", "all")
    assert set(table().loc["few"].index.get_level_values("row")) == {"real"}
    its[its["seed"] > 0].to_parquet("two.parquet")
    assert "two.parquet: at least 3 seeds of the real images are needed" in swept("two", "all", fails=True)


def test_what_cannot_be_compared_is_refused(kept):
    assert "a value comes twice: 20, 20" in swept("20", "20", fails=True)
    its = pd.read_parquet("20.parquet").astype({"row": str, "network": str, "learnt_from": str, "distance": str})
    its.assign(row=its["row"].replace("full-a2", "mine-a2")).to_parquet("other.parquet")
    its[its["network"] == "strong"].to_parquet("strong.parquet")
    its[(its["row"] == "real") == (its["network"] == "strong")].to_parquet("apart.parquet")
    for name in ("other", "strong", "apart"):
        said = swept(name, "all", fails=True)
        assert f"no row and network besides those of real that all have: {name}.parquet, all.parquet" in said
    its.assign(pooling="average").to_parquet("average.parquet")
    its.assign(image_size="64x32").to_parquet("smaller.parquet")
    its[its["query"] != "0.jpg"].to_parquet("fewer.parquet")
    its.iloc[::-1].to_parquet("backwards.parquet")
    for name in ("average", "smaller", "fewer", "backwards"):
        assert f"{name}.parquet was measured on other queries, in another order or another way, than 20.parquet" in (
            swept("20", name, fails=True)
        )
    for name in ("real", "all"):
        its.assign(learnt_from=name, distance="xqda").to_parquet(f"by_{name}.parquet")
    said = swept("by_real", "by_all", fails=True)
    assert "ide: metrics were learnt from several kinds of images, all, real" in said
    assert not Path("people.tsv").exists()
