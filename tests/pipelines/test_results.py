"""Scores over seeds, the Re-ID table, and what is significant in it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from score_files import QUERIES, write

from pipelines import layout
from pipelines.report import gains, reid_figures, results
from pipelines.report.reid_table import reid_table
from pipelines.report.significance import significance
from reid.common.errors import InputError

EVERYBODY = {f"{n}.jpg": n for n in range(QUERIES)}  # each query is of somebody else


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """Scores of `real`, of a training set that is better on every query, and of one that is as good on average."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    hits, ap = random.random(QUERIES) < 0.5, 0.2 + 0.5 * random.random(QUERIES)
    better = hits | (np.arange(QUERIES) % 3 == 0)
    for seed in (0, 1):
        write("real", seed, hits, ap + 0.01 * seed)
        write("full-a2", seed, better, ap + 0.1)
        write("same-a2", seed, hits[::-1], ap[::-1])
    return ["real", "full-a2", "same-a2"]


def test_metrics_are_means_over_seeds(rows):
    both = results.metrics(results.read_results(rows, ["ide"], [0, 1]))["real"]["ide"]["euclidean"]
    one = results.metrics(results.read_results(rows, ["ide"], [0]))["real"]["ide"]["euclidean"]
    assert both["mAP"] == pytest.approx(one["mAP"] + 0.5, abs=0.01)
    assert both["mAP_std"] == pytest.approx(2**-0.5, abs=0.01)
    assert set(one) == {"rank1", "rank5", "rank10", "mAP", "mAP_step"}, "no deviation of one"


def test_the_summary_has_few_numbers_of_each_row(rows):
    means = results.metrics(results.read_results(rows, ["ide"], [0]))
    for rule, key in (("trapezoid", "mAP"), ("step", "mAP_step")):
        of_real = means["real"]["ide"]["euclidean"]
        expected = {"ide-euclidean Rank-1": of_real["rank1"], "ide-euclidean mAP": of_real[key]}
        assert results.summary(means, rule)["real"] == expected
    assert list(results.summary(means, "step")) == rows


def test_every_two_rows_are_compared(rows):
    compared = significance(results.read_results(rows, ["ide"], [0]), "trapezoid", EVERYBODY, 0)
    assert len(compared) == 3 * 2
    compared = compared.set_index(["row", "other", "score"])
    better = compared.loc[("full-a2", "real", "mAP")]
    assert (better["difference"], better["low"]) == pytest.approx((10, 10))
    assert better["p"] < 0.001
    assert compared.loc[("full-a2", "real", "Rank-1")]["p"] < 0.05
    same = compared.loc[("same-a2", "real", "mAP")]
    assert same["low"] < same["difference"] < same["high"]
    assert same["p"] > 0.05


def test_differences_are_those_of_the_means_over_seeds(rows):
    read = results.read_results(rows, ["ide"], [0, 1])
    means = results.metrics(read)
    keys = {"Rank-1": "rank1", "mAP": "mAP"}
    for line in significance(read, "trapezoid", EVERYBODY, 0).itertuples():
        row, other = (means[name]["ide"]["euclidean"][keys[line.score]] for name in (line.row, line.other))
        assert line.difference == pytest.approx(row - other, abs=0.02)


def test_the_seed_resamples_the_people(rows):
    read = results.read_results(rows, ["ide"], [0])
    first, again, other = (significance(read, "trapezoid", EVERYBODY, seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert first["difference"].tolist() == other["difference"].tolist()
    assert first["low"].tolist() != other["low"].tolist()


def test_gains_over_real_and_the_oracles_share(rows):
    """`full` gains 0.1 on each query, `views` 0.2, and `same` has the same values in another order."""
    file = pd.read_parquet(layout.score("real", "ide", 0).with_suffix(".parquet"))
    for seed in (0, 1, 2):
        write("real", seed, file["first_rank"] == 1, file["ap_trapezoid"] + 0.01 * seed)
        write("views-a2", seed, file["first_rank"] == 1, file["ap_trapezoid"] + 0.01 * seed + 0.2)
        write("full-a2", seed, file["first_rank"] == 1, file["ap_trapezoid"] + 0.01 * seed + 0.1)
        write("worse-a2", seed, file["first_rank"] == 1, file["ap_trapezoid"] + 0.01 * seed - 0.1)
        write("same-a2", seed, file["first_rank"] == 1, file["ap_trapezoid"].to_numpy()[::-1] + 0.01 * seed)
    read = results.read_results([*rows, "views-a2", "worse-a2"], ["ide"], [0, 1, 2])
    people = {f"{n}.jpg": n // 2 for n in range(QUERIES)}
    compared = gains.compare_rows(read, "trapezoid", people)
    assert len(compared) == 10 * 2, "each two of five rows"
    over_full = [line for line in compared if (line.row, line.over_row) == ("views-a2", "full-a2")]
    assert [line.gain.mean for line in over_full] == pytest.approx([0, 0.1])
    found = {(line.row, line.score): line for line in compared if line.over_row == "real"}
    full, same = found["full-a2", "mAP"], found["same-a2", "mAP"]
    assert full.gain == pytest.approx((0.1, 0.1, 0.1))
    assert full.share == pytest.approx((0.5, 0.5, 0.5))
    assert same.gain.low < 0 < same.gain.high
    assert same.share.mean == pytest.approx(0)
    assert same.share.low < 0 < same.share.high
    assert found["full-a2", "Rank-1"].share is None, "the oracle gains nothing"
    assert found["worse-a2", "mAP"].gain.mean == pytest.approx(-0.1)
    assert found["worse-a2", "mAP"].share is None, "a certain loss"
    reid_figures.gains(compared, Path("gains.png"))
    assert Path("gains.png").stat().st_size > 1_000
    numbers = gains.as_numbers(found.values()).set_index(["row", "score"])
    assert numbers.loc[("full-a2", "mAP")]["gain"] == pytest.approx(10)
    assert numbers.loc[("full-a2", "mAP")][["share", "share_low", "share_high"]].tolist() == pytest.approx([0.5] * 3)
    assert numbers.loc[("full-a2", "Rank-1")][["share", "share_low", "share_high"]].isna().all()
    table = reid_table(
        read,
        results.metrics(read),
        significance(read, "trapezoid", EVERYBODY, 0),
        "trapezoid",
        published=False,
        gains=compared,
    ).set_index("training set")
    assert table.loc["full-a2", "ide + euclidean: mAP gain"] == "+10.0 [10.0, 10.0]*, 50 % [50, 50]"
    assert table.loc["views-a2", "ide + euclidean: mAP gain"] == "+20.0 [20.0, 20.0]*", "all of its own"
    assert table.loc["real", "ide + euclidean: mAP gain"] == ""
    assert table.loc["full-a2", "ide + euclidean: Rank-1 gain"] == "+0.0 [0.0, 0.0]"
    assert table.loc["same-a2", "ide + euclidean: mAP gain"][1:].startswith("0.0 [-")


def test_gains_of_networks_over_the_first(rows):
    for seed in (0, 1, 2):
        for network, more in (("ide", 0.0), ("strong", 0.1)):
            for row in ("real", "full-a2"):
                write(row, seed, np.ones(QUERIES, bool), np.full(QUERIES, 0.5 + more + 0.01 * seed), network)
    read = results.read_results(["real", "full-a2"], ["ide", "strong"], [0, 1, 2])
    compared = gains.compare_networks(read, "trapezoid", EVERYBODY)
    assert [(line.row, line.network, line.over_network) for line in compared[::2]] == [
        ("real", "strong", "ide"),
        ("full-a2", "strong", "ide"),
    ]
    table = gains.networks_as_text(compared).set_index("network")
    assert table.loc["strong", "real, euclidean: mAP"] == "+10.0 [10.0, 10.0]*"
    assert table.loc["strong", "full-a2, euclidean: Rank-1"] == "+0.0 [0.0, 0.0]"


def test_the_table_marks_what_differs(rows):
    for seeds, expected in (([0], "{:.1f}*"), ([0, 1], "{:.1f} ± 0.0*")):
        read = results.read_results(rows, ["ide"], seeds)
        means, compared = results.metrics(read), significance(read, "trapezoid", EVERYBODY, 0)
        shown = reid_table(read, means, compared, "trapezoid", published=False).set_index("training set")
        value = means["full-a2"]["ide"]["euclidean"]["mAP"]
        assert shown.loc["full-a2", "ide + euclidean: mAP"] == expected.format(value)
        assert "*" not in shown.loc["real", "ide + euclidean: mAP"] + shown.loc["same-a2", "ide + euclidean: mAP"]


def test_the_table_shows_the_chosen_rule_and_published_numbers(rows):
    read = results.read_results(rows, ["ide"], [0])
    means, compared = results.metrics(read), significance(read, "trapezoid", EVERYBODY, 0).head(0)
    score = means["real"]["ide"]["euclidean"]
    shown = [reid_table(read, means, compared, rule, published).iloc[0].tolist() for rule, published in CASES]
    assert shown[0][:3] == ["real", "1,234", "0"]
    assert shown[0][3:] == [f"{score['rank1']:.1f} (73.9)", f"{score['mAP']:.1f} (48.8)"]
    assert shown[1][3:] == [f"{score['rank1']:.1f} (73.9)", "51.0"], "published mAPs are the trapezoid's"
    assert shown[2][3:] == [f"{score['rank1']:.1f}", f"{score['mAP']:.1f}"]


CASES = [("trapezoid", True), ("step", True), ("trapezoid", False)]


def test_a_missing_score_is_named(rows):
    with pytest.raises(FileNotFoundError, match=r"^data/scores/real-a1-ide-s7.json does not exist.* run `dvc repro`$"):
        results.read_results(rows, ["ide"], [7])


def test_scores_on_other_queries_are_refused(rows):
    path = layout.score("full-a2", "ide", 1).with_suffix(".parquet")
    pd.read_parquet(path).iloc[1:].reset_index(drop=True).to_parquet(path)
    results.read_results(rows, ["ide"], [0])
    with pytest.raises(
        InputError, match=r"full-a2-ide-s1.json was measured on other queries, .* than .*real-a1-ide-s0.json"
    ):
        results.read_results(rows, ["ide"], [0, 1])
