"""Several values of one parameter; `dvc repro` itself is test_smoke's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from commands import run, write_params
from conftest import ROOT
from ruamel.yaml import YAML

from pipelines.commands import sweep
from reid.common.locks import claim


@pytest.fixture
def repro(project, monkeypatch):
    """In place of `dvc repro report`: a report whose gain is a tenth of dataset.train_people; fails at 13."""
    started = []

    def fake(command, check):
        assert command[1:] == ["-m", "dvc", "repro", "report"]
        people = YAML(typ="safe").load(Path("params.yaml"))["dataset"]["train_people"]
        started.append(people)
        report = Path("data/report")
        report.mkdir(parents=True, exist_ok=True)
        means = {"real": 50.0, "full-a2": 50 + people / 10}
        scores = {row: {"ide": {"euclidean": {"rank1": 60.0, "mAP": mean}}} for row, mean in means.items()}
        (report / "metrics.json").write_text(json.dumps(scores))
        lines = [
            ("full-a2", "ide", "real", "ide", "euclidean", score, people / 10, 1.0, 9.0, None, None, None)
            for score in ("Rank-1", "mAP")
        ]
        lines.append(("full-a2", "strong", "full-a2", "ide", "euclidean", "mAP", 7.0, 6.0, 8.0, None, None, None))
        names = "row network over_row over_network distance score gain low high share share_low share_high"
        pd.DataFrame(lines, columns=names.split()).to_csv(report / "gains.tsv", sep="\t", index=False)
        return subprocess.CompletedProcess(command, int(people == 13))

    monkeypatch.setattr("pipelines.commands.sweep.subprocess.run", fake)
    write_params(lambda p: p.update(seeds=[0, 1, 2]))
    return started


def test_a_sweep_gathers_the_reports(repro):
    before = Path("params.yaml").read_bytes()
    run("sweep", "dataset.train_people", "20", "40", "--out", "out/people")
    assert repro == [20, 40]
    assert Path("params.yaml").read_bytes() == before
    table = pd.read_csv("out/people.tsv", sep="\t").set_index(["value", "row", "score"]).sort_index()
    assert len(table) == 2 * 2 * 2
    assert table.loc[(40, "full-a2", "mAP"), ["mean", "gain", "low", "high"]].tolist() == [54, 4, 1, 9]
    assert table.loc[(20, "real", "mAP"), "mean"] == 50
    assert table.loc[(20, "real", "mAP"), ["gain", "low"]].isna().all()
    assert Path("out/people.png").stat().st_size > 1_000


def test_sweeps_of_two_parameters_do_not_overwrite_each_other(repro):
    run("sweep", "dataset.train_people", "20")
    first = Path("sweep-dataset.train_people.tsv").read_bytes()
    write_params(lambda p: (p.update(seeds=[0, 1, 2]), p["dataset"].update(train_people=40)))
    run("sweep", "seed", "7")
    assert {path.name for path in Path().glob("*.tsv")} == {"sweep-dataset.train_people.tsv", "sweep-seed.tsv"}
    assert Path("sweep-dataset.train_people.tsv").read_bytes() == first


def test_params_are_restored_where_it_fails(repro):
    before = Path("params.yaml").read_bytes()
    assert "`dvc repro report` failed with dataset.train_people: 13" in run(
        "sweep", "dataset.train_people", "13", "40", fails=True
    )
    assert repro == [13]
    assert Path("params.yaml").read_bytes() == before
    assert not Path("sweep.tsv").exists()


def test_a_killed_sweep_loses_no_params(repro, monkeypatch):
    before = Path("params.yaml").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.commands.sweep.restore", lambda: None)  # as if killed before it gets there
        run("sweep", "dataset.train_people", "20")
    assert b"train_people: 20" in Path("params.yaml").read_bytes()
    assert sweep.BEFORE.exists()
    sweep.restore()
    assert Path("params.yaml").read_bytes() == before
    assert not sweep.BEFORE.exists()


def test_edits_during_a_sweep_are_kept(repro, monkeypatch):
    def edit(command, check):
        Path("params.yaml").write_text("edited: true\n")
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr("pipelines.commands.sweep.subprocess.run", edit)
    before = Path("params.yaml").read_text()
    for _ in range(2):
        output = run("sweep", "dataset.train_people", "20", fails=True)
        assert "params.yaml was edited during a sweep" in output
        assert Path("params.yaml").read_text() == "edited: true\n"
    assert json.loads(sweep.BEFORE.read_text())["before"] == before


def test_an_edit_while_a_stage_works_ends_the_sweep(repro, monkeypatch):
    """The stages that were still to start have read it: what they made is of no value of the sweep."""
    fake = sweep.subprocess.run

    def edit(command, check):
        done = fake(command, check)
        Path("params.yaml").write_text("edited: true\n")
        return done

    monkeypatch.setattr("pipelines.commands.sweep.subprocess.run", edit)
    said = run("sweep", "dataset.train_people", "20", "40", "--out", "out/people", fails=True)
    assert "params.yaml was edited during a sweep" in said
    assert repro == [20], "and not 40, over the edit"
    assert Path("params.yaml").read_text() == "edited: true\n"
    assert not Path("out/people.tsv").exists()


def test_a_file_in_utf_16_is_as_it_was_in_the_end(repro):
    path = Path("params.yaml")
    text = path.read_text()
    path.write_bytes(text.encode("utf-16"))
    run("sweep", "dataset.train_people", "20")
    assert path.read_text() == text, "as UTF-8, which every program reads"


@pytest.mark.parametrize("content", [b"seed: [0", "seed: 0".encode("utf-16")[2:], None])
def test_what_is_no_params_yaml_is_said(repro, content):
    path = Path("params.yaml")
    path.unlink() if content is None else path.write_bytes(content)
    said = "does not exist: run from" if content is None else "params.yaml"
    assert said in run("sweep", "dataset.train_people", "20", fails=True)
    if content is not None:
        path.write_bytes(content)
        run("profile", "smoke", fails=True)
        assert path.read_bytes() == content, "nothing is lost"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("dataset.people", "20"), "params.yaml has no key dataset.people"),
        (("seed.people", "20"), "params.yaml has no key seed.people"),
        (("dataset.train_people", "20", "many"), "dataset.train_people: many"),
        (("dataset.train_people", "[20"), "is not YAML"),
        (("seeds", "[0, 1]"), "seeds: [0, 1]: intervals need at least 3 seeds, `seeds` has 2"),
    ],
)
def test_what_is_not_possible_is_said_before_anything_runs(repro, words, message):
    assert message in run("sweep", *words, fails=True)
    assert repro == []


@pytest.mark.usefixtures("project")
def test_two_sweeps_do_not_write_params_at_once():
    lock = claim(Path(".scratch/sweep"))
    second = subprocess.run(
        [sys.executable, "-m", "pipelines", "sweep", "dataset.train_people", "20", "40"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    lock.release()
    assert second.returncode == 1
    assert "another process is at work in .scratch/sweep" in second.stderr


@pytest.mark.usefixtures("repro")
def test_a_finished_table_is_kept_where_params_were_edited(monkeypatch):
    edited = lambda *args: Path("params.yaml").write_text("edited: true\n")  # noqa: E731
    monkeypatch.setattr("pipelines.commands.sweep.swept", edited)
    assert "was edited during a sweep" in run(
        "sweep", "dataset.train_people", "20", "40", "--out", "out/people", fails=True
    )
    assert len(pd.read_csv("out/people.tsv", sep="\t")) == 8
