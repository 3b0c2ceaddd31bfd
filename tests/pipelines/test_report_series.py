"""Losses, series for `dvc plots`, what is known of a run, and sheets of generators: from files that were made up."""

import io
import json
import subprocess
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from dvc.render.converter.vega import VegaConverter
from dvc_render.vega import VegaRenderer
from matplotlib.figure import Figure
from PIL import Image
from ruamel.yaml import YAML
from score_files import write

from pipelines import layout
from pipelines.console import stage, took
from pipelines.report import grids, losses, provenance, results, series

PARAMS = SimpleNamespace(trained=["full", "two", "none"], networks=["ide"], seeds=[0, 1])
ROWS = ["real", "full-a2"]


@pytest.fixture
def logs(tmp_path, monkeypatch):
    """The logs of two generators, one of them in two phases, and of Re-ID networks; scores of these."""
    monkeypatch.chdir(tmp_path)
    full = {"phase": "adversarial", "iteration": [1, 2], "l1": [0.5, 0.25]}
    two = {"phase": ["a", "a", "b"], "iteration": [1, 2, 1], "x": [3.0, 2.0, None], "y": [None, None, 7.0]}
    for name, log in (("full", full), ("two", two)):
        layout.gan(name).mkdir(parents=True)
        pd.DataFrame(log).to_csv(layout.gan(name) / "losses.tsv", sep="\t", index=False)
    for row in ROWS:
        for seed in PARAMS.seeds:
            folder = layout.reid(row, "ide", seed)
            folder.mkdir(parents=True)
            log = {"iteration": [10, 20], "learning_rate": 0.1, "loss": [2.0 + seed, 1.0 + seed]}
            pd.DataFrame(log).to_csv(folder / "losses.tsv", sep="\t", index=False)
            write(row, seed, np.ones(60, bool), np.full(60, 0.5))
    return losses.of_generators(PARAMS), losses.of_networks(PARAMS, ROWS)


def test_logs_are_read_as_far_as_there_are_any(logs):
    of_generators, of_networks = logs
    assert of_generators.to_numpy().tolist() == [
        ["full", "adversarial", "l1", 1, 0.5],
        ["full", "adversarial", "l1", 2, 0.25],
        ["two", "a", "x", 1, 3.0],
        ["two", "a", "x", 2, 2.0],
        ["two", "b", "y", 1, 7.0],
    ]
    assert len(of_networks) == 2 * 2 * 2
    nothing = SimpleNamespace(trained=["none"], networks=["none"], seeds=[0])
    assert len(losses.of_generators(nothing)) == len(losses.of_networks(nothing, ROWS)) == 0


def test_losses_are_drawn_a_panel_each(logs, monkeypatch, tmp_path):
    drawn, save = [], Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **options: drawn.append(figure) or save(figure, path))
    losses.draw_generator(logs[0], "two", tmp_path / "two.png")
    losses.draw_networks(logs[1], tmp_path / "networks.png")
    assert [axes.get_title() for axes in drawn[0].axes] == ["a, x", "b, y"]
    (panel,) = drawn[1].axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in panel.get_lines()}
    assert lines == {row: [[10, 2.5], [20, 1.5]] for row in ROWS}, "means over the seeds"


def test_dvc_draws_the_series(logs, tmp_path):
    """DVC finds the columns that dvc.yaml names, and fills in our template."""
    series.write(results.read_results(ROWS, ["ide"], [0, 1]), *logs, tmp_path / "data/report/series")
    plots = [plot for plot in YAML(typ="safe").load(ROOT / "dvc.yaml")["plots"] if isinstance(plot, dict)]
    assert len(plots) == 3
    for plot in plots:
        ((name, about),) = plot.items()
        lines = pd.read_csv(tmp_path / name, sep="\t", dtype=str).to_dict("records")
        points, filled = VegaConverter(name, {name: {"": lines}}, about).flat_datapoints("here")
        renderer = VegaRenderer(points, name, template_dir=str(ROOT / ".dvc/plots"), **filled)
        spec = renderer.get_filled_template()
        assert "<DVC" not in json.dumps(spec)
        encoding = spec["spec"]["encoding"]
        fields = {spec["facet"]["field"], *(encoding[key]["field"] for key in ("x", "y", "color", "strokeDash"))}
        assert fields <= spec["data"]["values"][0].keys()
        assert len(spec["data"]["values"]) == len(lines) > 0
    assert pd.read_csv("data/report/series/networks.tsv", sep="\t")["loss"].tolist() == [2.5, 1.5] * 2


def test_the_commit_is_that_of_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.commit() == ""
    for name in ("a.txt", "dvc.yaml", "dvc.lock"):
        (tmp_path / name).write_text("a")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "a"]):
        subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@b.c", *words], check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
    assert provenance.commit() == head[:10]
    (tmp_path / "dvc.lock").write_text("what DVC has just written")
    assert provenance.commit() == head[:10]
    (tmp_path / "unpacked").mkdir()
    with monkeypatch.context() as patch:
        patch.chdir(tmp_path / "unpacked")
        assert provenance.commit() == "", "the commit is of the folder that this one lies in"
    (tmp_path / "a.txt").write_text("b")
    assert provenance.commit() == f"{head[:10]}, with changes"
    monkeypatch.setenv("PATH", "")
    assert provenance.commit() == ""


def test_durations_are_those_of_stages_that_dvc_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    facts = provenance.facts(PARAMS, ROWS)
    assert not [name for name in facts if name.startswith("Durations")]
    with stage("pair", "does"):
        pass
    assert provenance.durations(PARAMS, ROWS) == "", "nobody has said that DVC runs it"
    monkeypatch.setenv("DVC_STAGE", "pair")
    for name in ("pair", "train-reid real-a1-ide-s0", "train-reid full-a2-ide-s1", "train-reid other-a2-ide-s1"):
        with stage(name, "does"):
            pass
    assert provenance.durations(PARAMS, ROWS) == f"pair {took(0)}, train-reid (2) {took(0)}"


@pytest.fixture
def drawn(monkeypatch):
    """Sheets whose lines are kept instead of drawn; sources are of value 1, targets 2, poses 3."""
    kept = []
    monkeypatch.setattr(grids, "sheet", lambda rows, path, height: kept.append(rows))
    monkeypatch.setattr(grids, "_real", lambda names, size: [int(name[1:]) for name in names])
    monkeypatch.setattr(grids, "_skeletons", lambda names, size: [100 + int(name[1:]) for name in names])
    return kept


def images(sources, targets, value):
    """What a generator draws of each source in each target's pose: one colour, that says which."""

    def png(*place):
        buffer = io.BytesIO()
        Image.new("RGB", (2, 4), (value, *place)).save(buffer, "PNG")
        return buffer.getvalue()

    lines = [(f"s{i}", f"t{j}", png(i, j)) for i in sources for j in targets]
    return pd.DataFrame(lines, columns=["source", "target", "image"])


def shown(picture):
    """Which picture it is."""
    return picture if isinstance(picture, int) else tuple(picture[0, 0].tolist())


def test_the_grid_has_a_person_a_line_and_a_pose_a_column(drawn, tmp_path):
    grids.draw_grid(images([1, 2], [5, 6], 9), (4, 2), tmp_path / "a.jpg")
    lines = [[shown(picture) for picture in pictures] for _, pictures in drawn[0]]
    assert lines == [[(255, 255, 255), 105, 106], [1, (9, 1, 5), (9, 1, 6)], [2, (9, 2, 5), (9, 2, 6)]]


def test_generators_stand_side_by_side_on_the_pairs_that_all_have_drawn(drawn, tmp_path):
    """The second generator could not use the first person."""
    of_all = {"one": images([1, 2, 3], [5, 6, 7], 8), "two": images([2, 3, 4], [6, 7, 0], 9)}
    grids.draw_side_by_side(of_all, (4, 2), tmp_path / "a.jpg")
    lines = {caption: [shown(picture) for picture in pictures] for caption, pictures in drawn[0]}
    assert lines == {
        "source": [2, 3],
        "target": [6, 7],
        "pose": [106, 107],
        "one": [(8, 2, 6), (8, 3, 7)],
        "two": [(9, 2, 6), (9, 3, 7)],
    }
    of_all = {"one": images([1], [5], 8), "two": images([2], [6], 9)}
    assert not grids.draw_side_by_side(of_all, (4, 2), tmp_path / "b.jpg")
    assert len(drawn) == 1, "nothing is drawn where no pair is"


def test_damaged_lines_of_the_log_are_left_out():
    log = "pair\t2\ntrain-gan full\t\nhalf a li\ntrain-gan full\t6x\nprepare\t3\n"
    assert provenance.summed(log, {"full"}) == "pair 2 s, prepare 3 s"
