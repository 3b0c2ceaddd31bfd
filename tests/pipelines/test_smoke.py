"""`dvc repro` on the smoke profile in a copy of the project; then what runs again after which change."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

MINUTES = 10


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smoke") / "project"
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, files.split("\0")):
        if (ROOT / name).exists() and name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    shutil.copyfile(folder / "profiles/smoke.yaml", folder / "params.yaml")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    dvc(folder, "repro")
    return folder


def dvc(folder, *words):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        ["dvc", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=60 * MINUTES
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def would_run(folder, old, new):
    """Stages that a change of params.yaml makes run."""
    path = folder / "params.yaml"
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new))
    try:
        return set(re.findall(r"Running stage '([^']+)'", dvc(folder, "repro", "--dry")))
    finally:
        path.write_text(text)


def test_it_makes_the_table_and_its_pictures(copy):
    table = (copy / "data/report/table.md").read_text()
    assert [line.split()[1] for line in table.splitlines()[2:5]] == ["real", "baseline-a2", "full-a2"]
    assert (copy / "data/report/figures/cmc.png").exists()


def test_a_second_time_nothing_runs(copy):
    output = dvc(copy, "repro")
    assert "Data and pipelines are up to date." in output
    assert "Running stage" not in output


def test_a_new_alpha_runs_only_what_it_needs(copy):
    new = {f"{stage}@{g}-3{n}" for g in ("baseline", "full") for stage, n in
           (("augment", ""), ("train_reid", "-ide"), ("evaluate", "-ide"))}  # fmt: skip
    text = (copy / "params.yaml").read_text()
    assert would_run(copy, _alphas(text), _alphas(text) + "  - 3\n") == new | {"report"}


def _alphas(text):
    return re.search(r"alphas:.*\n  - 2\n", text).group()


def test_a_distance_or_an_ap_setting_trains_nothing(copy):
    evaluations = {"evaluate_real@ide", "evaluate@baseline-2-ide", "evaluate@full-2-ide"}
    distance = would_run(copy, "      - euclidean\n", "      - euclidean\n      - other\n")
    assert distance == evaluations | {"report"}
    assert would_run(copy, "normalise: true", "normalise: false") == evaluations | {"report"}
    assert would_run(copy, "average_precision: trapezoid", "average_precision: step") == {"report"}


def test_one_generators_setting_leaves_the_other_alone(copy):
    text = (copy / "params.yaml").read_text()
    full = re.search(r"  full:.*?neighbourhood: 3", text, re.S).group()
    ran = would_run(copy, full, full.replace("neighbourhood: 3", "neighbourhood: 5"))
    assert ran == {"train_gan@full", "augment@full-2", "train_reid@full-2-ide", "evaluate@full-2-ide", "report"}


def test_metrics_and_plots_can_be_shown(copy):
    assert "euclidean" in dvc(copy, "metrics", "show")
    dvc(copy, "plots", "show")
    assert "cmc" in (copy / "dvc_plots/index.html").read_text()
