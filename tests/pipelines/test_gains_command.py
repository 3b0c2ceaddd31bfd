"""`gains`: comparisons from the score files that there are, and from those of earlier runs."""

import json

import numpy as np
import pandas as pd
import pytest
from score_files import QUERIES, write

from pipelines import layout
from pipelines.commands import gains
from reid.common.errors import InputError
from reid.files import samples

NONE = (None, None, None, "trapezoid")


@pytest.fixture
def scores(tmp_path, monkeypatch):
    """`full-a2` is 0.1 of AP better than `real` with three seeds; of `views-a2` there are two."""
    monkeypatch.chdir(tmp_path)
    query = samples.real_table(
        [f"{n}.jpg" for n in range(QUERIES)], "x.zip", [n // 2 for n in range(QUERIES)], [1] * QUERIES
    )
    samples.write(query, layout.samples("query"))
    hits = np.ones(QUERIES, bool)
    for seed in (0, 1, 2):
        write("real", seed, hits, np.full(QUERIES, 0.5))
        write("full-a2", seed, hits, np.full(QUERIES, 0.6))
        if seed:
            write("views-a2", seed, hits, np.full(QUERIES, 0.7))


def test_what_is_complete_is_compared(scores, capsys):
    gains.run(None, None, None, "trapezoid")
    printed = capsys.readouterr().out
    line = next(line for line in printed.splitlines() if "full-a2" in line)
    assert [cell.strip() for cell in line.split("|")[1:-1]] == [
        "ide", "euclidean", "full-a2", "100.0", "+0.0 [0.0, 0.0]", "60.0", "+10.0 [10.0, 10.0]*",
    ]  # fmt: skip
    assert "left out: views-a2, ide: 2 seeds" in printed
    assert not any("views-a2" in line for line in printed.splitlines() if line.startswith("|"))


def test_of_real_alone_there_is_no_figure(scores, tmp_path, capsys):
    for file in layout.SCORES.iterdir():
        if not file.name.startswith("real"):
            file.unlink()
    gains.run(None, tmp_path / "out", None, "trapezoid")
    assert "no figure, since no row has been compared with real" in capsys.readouterr().out
    assert not (tmp_path / "out.png").exists()


def test_what_was_kept_is_taken_with_what_is_new(scores, tmp_path, capsys):
    """Kept scores give the same table alone; a run that is in both counts as it is now."""
    kept = tmp_path / "kept.parquet"
    gains.run(None, None, kept, "trapezoid")
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    write("real", 0, np.ones(QUERIES, bool), np.full(QUERIES, 0.1))
    gains.run(kept, None, None, "trapezoid", alone=True)
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")] == table
    for file in layout.SCORES.iterdir():
        file.unlink()
    for seed in (0, 1, 2):
        write("views-a2", seed, np.ones(QUERIES, bool), np.full(QUERIES, 0.7))
    write("full-a2", 0, np.ones(QUERIES, bool), np.full(QUERIES, 0.9))
    gains.run(kept, tmp_path / "all", None, "trapezoid")
    printed = capsys.readouterr().out
    assert "left out" not in printed
    assert " +20.0 [20.0, 20.0]* |" in printed, "of views-a2"
    numbers = pd.read_csv(tmp_path / "all.tsv", sep="\t").set_index(["row", "over_row", "score"])
    assert numbers.loc[("full-a2", "real", "mAP")]["gain"] == pytest.approx(20), "0.9, 0.6, 0.6 less 0.5"
    assert numbers.loc[("views-a2", "full-a2", "mAP")]["gain"] == pytest.approx(0, abs=1e-4)
    assert (tmp_path / "all.png").stat().st_size > 1_000


def test_runs_on_other_queries_are_refused(scores):
    table = pd.read_parquet(path := layout.score("full-a2", "ide", 1).with_suffix(".parquet"))
    table.iloc[::-1].to_parquet(path)
    with pytest.raises(InputError, match="full-a2, ide: measured on other queries"):
        gains.run(*NONE)
    table.assign(query="unknown.jpg").to_parquet(path)
    with pytest.raises(InputError, match="full-a2-ide-s1.json: measured on other queries"):
        gains.run(*NONE)


def test_networks_are_compared_where_their_seeds_are_the_same(scores, tmp_path, capsys):
    for seed in (0, 1, 2):
        write("real", seed, np.ones(QUERIES, bool), np.full(QUERIES, 0.8), "strong")
        write("real", seed + 1, np.ones(QUERIES, bool), np.full(QUERIES, 0.9), "wide")
    gains.run(None, tmp_path / "all.05", None, "trapezoid")
    numbers = pd.read_csv(tmp_path / "all.05.tsv", sep="\t")
    over = numbers[numbers["over_network"] != numbers["network"]].set_index(["network", "score"])
    assert set(over.index) == {("strong", "Rank-1"), ("strong", "mAP")}, "wide has other seeds"
    assert (
        "networks that have other seeds: ide, strong (seeds 0, 1, 2); wide (seeds 1, 2, 3)" in capsys.readouterr().out
    )
    assert over.loc[("strong", "mAP"), "gain"] == pytest.approx(30)


def test_networks_without_the_real_images_are_compared_with_the_first(scores, tmp_path, capsys):
    for seed in (0, 1, 2):
        write("full-a2", seed, np.ones(QUERIES, bool), np.full(QUERIES, 0.4), "ide_smoothed")
        write("full-a2", seed, np.ones(QUERIES, bool), np.full(QUERIES, 0.9), "ide_weighted")
        write("full-a10", seed, np.ones(QUERIES, bool), np.full(QUERIES, 0.95), "ide_weighted")
    gains.run(None, tmp_path / "all", None, "trapezoid")
    printed = capsys.readouterr().out
    assert "ide_smoothed, " not in printed, "nothing is left out"
    assert [line.split("|")[-2].strip() for line in printed.splitlines() if line.startswith("| ide_")] == [
        "-20.0 [-20.0, -20.0]*",
        "+30.0 [30.0, 30.0]*",
    ]
    numbers = pd.read_csv(tmp_path / "all.tsv", sep="\t").set_index(
        ["row", "network", "over_row", "over_network", "score"]
    )
    assert numbers.loc[("full-a2", "ide_weighted", "full-a2", "ide_smoothed", "mAP"), "gain"] == pytest.approx(50)
    of_alphas = numbers.loc[("full-a10", "ide_weighted", "full-a2", "ide_weighted", "mAP"), "gain"]
    assert of_alphas == pytest.approx(5), "alpha 10 comes after 2"


def test_what_is_refused_does_not_touch_what_was_kept(scores, tmp_path):
    kept = tmp_path / "kept.parquet"
    gains.run(None, None, kept, "trapezoid")
    before = kept.read_bytes()
    query = samples.real_table(["other.jpg"], "x.zip", [1], [1])
    samples.write(query, layout.samples("query"))
    path = layout.score("real", "ide", 0).with_suffix(".parquet")
    pd.read_parquet(path).head(1).assign(query="other.jpg").to_parquet(path)
    for other in layout.SCORES.iterdir():
        if not other.stem.startswith("real-a1-ide-s0"):
            other.unlink()
    with pytest.raises(InputError, match="measured on other queries"):
        gains.run(kept, None, kept, "trapezoid")
    assert kept.read_bytes() == before


def test_what_was_kept_is_not_overwritten_by_less(scores, tmp_path):
    """Of fewer runs, of a part of the training set, whose runs have the same names, or of a file of another kind."""
    kept, other = tmp_path / "kept.parquet", tmp_path / "notes.md"
    gains.run(None, None, kept, "trapezoid")
    before = kept.read_bytes()
    views = {path: path.read_bytes() for path in layout.SCORES.glob("views*")}
    for path in views:
        path.unlink()
    with pytest.raises(InputError, match=r"lose 2 runs that are not among these \(views-a2, ide, seed 1\)"):
        gains.run(None, None, kept, "trapezoid")
    part = pd.read_parquet(kept).assign(real_images=20)
    part.to_parquet(tmp_path / "part.parquet")
    with pytest.raises(InputError, match="lose 8 runs"):
        gains.run(tmp_path / "part.parquet", None, kept, "trapezoid", alone=True)
    other.write_text("mine")
    with pytest.raises(InputError, match="notes.md, which --keep did not write"):
        gains.run(None, None, other, "trapezoid")
    assert (kept.read_bytes(), other.read_text()) == (before, "mine")
    gains.run(kept, None, kept, "trapezoid")
    assert kept.read_bytes() == before
    for path, content in views.items():
        path.write_bytes(content)
    gains.run(None, None, kept, "trapezoid")
    assert kept.read_bytes() == before


def test_runs_that_were_measured_otherwise_are_refused(scores, tmp_path):
    path = layout.score("full-a2", "ide", 1)
    as_it_was = path.read_text()
    for other, message in (
        ({"pooling": "average"}, "queries pooled in several ways: .*full-a2, ide, seed 1: average"),
        ({"image_size": [64, 32]}, "images of several sizes: .*full-a2, ide, seed 1: 64x32"),
        ({"trained_on": {"images": 900, "generated": 200}}, "numbers of real images: .*full-a2, ide, seed 1: 700"),
    ):
        path.write_text(json.dumps(json.loads(as_it_was) | other))
        with pytest.raises(InputError, match=message):
            gains.run(*NONE)
    path.write_text(as_it_was)
    other = layout.score("real", "ide", 0).with_suffix(".parquet")
    with pytest.raises(
        InputError,
        match="is no file that --keep wrote: it has no columns pooling, learnt_from, image_size, real_images, row",
    ):
        gains.run(other, None, None, "trapezoid")


def with_distance(row, seed, name, above):
    """Add a distance, by which every average precision is so much above that by the first."""
    path = layout.score(row, "ide", seed)
    file, table = json.loads(path.read_text()), pd.read_parquet(path.with_suffix(".parquet"))
    path.write_text(json.dumps(file | {"distances": file["distances"] | {name: file["distances"]["euclidean"]}}))
    by_it = table.assign(distance=name, ap_trapezoid=table["ap_trapezoid"] + above)
    pd.concat([table, by_it]).to_parquet(path.with_suffix(".parquet"))


def test_distances_that_all_runs_were_measured_with_are_compared(scores, capsys):
    for path in layout.SCORES.glob("views*"):
        path.unlink()
    for seed in (0, 1, 2):
        with_distance("real", seed, "kissme", 0.1)
        with_distance("full-a2", seed, "kissme", 0.3)
    gains.run(*NONE)
    assert "+30.0 [30.0, 30.0]*" in capsys.readouterr().out
    write("full-a2", 1, np.ones(QUERIES, bool), np.full(QUERIES, 0.6))  # measured by Euclidean distance alone
    gains.run(*NONE)
    printed = capsys.readouterr().out
    assert "+10.0 [10.0, 10.0]*" in printed
    assert "+30.0" not in printed
    assert "left out: ide, kissme: not all runs were measured with it" in printed


def test_the_order_of_distances_does_not_matter(scores, tmp_path, capsys):
    for row in ("real", "full-a2"):
        for seed in (0, 1, 2):
            with_distance(row, seed, "xqda", 0.2 if row == "real" else 0.3)
            with_distance(row, seed, "kissme", 0.1)  # --keep puts them in order
    kept = tmp_path / "kept.parquet"
    gains.run(None, None, kept, "trapezoid")
    before = capsys.readouterr().out
    for path in layout.SCORES.glob("real*"):
        path.unlink()
    gains.run(kept, None, None, "trapezoid")
    assert [line for line in capsys.readouterr().out.splitlines() if "full-a2" in line and "|" in line] == [
        line for line in before.splitlines() if "full-a2" in line and "|" in line
    ]


def test_a_set_without_real_images_learns_metrics_from_its_own(scores, capsys):
    for row, learnt, images, generated in (
        ("real", "real", 1234, 0),
        ("full-a2", "real", 1834, 600),
        ("alone-a2", "all", 1234, 1234),
    ):
        for seed in (0, 1, 2):
            write(row, seed, np.ones(QUERIES, bool), np.full(QUERIES, 0.5))
            with_distance(row, seed, "kissme", 0.1)
            path = layout.score(row, "ide", seed)
            about = {"learnt_from": learnt, "trained_on": {"images": images, "generated": generated}}
            path.write_text(json.dumps(json.loads(path.read_text()) | about))
    for path in layout.SCORES.glob("views*"):
        path.unlink()
    gains.run(*NONE)
    assert "alone-a2" in capsys.readouterr().out
    path = layout.score("full-a2", "ide", 0)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"learnt_from": "all"}))
    with pytest.raises(InputError, match="ide: metrics were learnt from several kinds of images, all, real"):
        gains.run(*NONE)


def test_without_enough_scores_it_says_so(scores):
    layout.score("real", "ide", 2).unlink()
    with pytest.raises(FileNotFoundError, match="at least 3 seeds of the real images are needed"):
        gains.run(*NONE)
    for file in layout.SCORES.iterdir():
        file.unlink()
    with pytest.raises(FileNotFoundError, match="train and evaluate first"):
        gains.run(*NONE)
