"""`dvc repro` on the smoke profile in a copy of the project; then what runs again after which change."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from pipelines.profiles import compose
from reid.export.checks import check

MINUTES = 10


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smoke") / "project"
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, files.split("\0")):
        if (ROOT / name).exists() and name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    (folder / "params.yaml").write_text(compose(["smoke"]))
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    dvc(folder, "repro")
    return folder


def environment(folder):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PYTHONPATH": str(folder)}


def dvc(folder, *words):
    done = subprocess.run(
        ["dvc", *words], cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=60 * MINUTES
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def after(folder, old, new, *words):
    """Names of the stages that `dvc repro` runs after a change of params.yaml, which is then taken back."""
    path = folder / "params.yaml"
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new))
    try:
        return set(re.findall(r"Running stage '([^']+)'", dvc(folder, "repro", *words)))
    finally:
        path.write_text(text)


def test_it_makes_the_table_and_its_pictures(copy):
    table = (copy / "data/report/table.md").read_text()
    assert [line.split()[1] for line in table.splitlines()[2:4]] == ["real", "full-a2"]
    assert (copy / "data/report/figures/cmc.png").exists()


def test_it_exports_a_set_without_faults(copy):
    assert [path.name for path in (copy / "data/export").iterdir()] == ["streets-full-a2.zip"]
    assert check(copy / "data/export/streets-full-a2.zip")[1] == []


def test_no_exports_is_no_stage(copy):
    path = copy / "params.yaml"
    text = path.read_text()
    assert "exports:" in text
    path.write_text(re.sub(r"\nexports:.*\n  - full\n", "\nexports: []\n", text))
    stages = dvc(copy, "stage", "list", "--name-only").split()
    path.write_text(text)
    assert "report" in stages
    assert not [stage for stage in stages if stage.startswith("export")]


def test_a_second_time_nothing_runs(copy):
    output = dvc(copy, "repro")
    assert "Data and pipelines are up to date." in output
    assert "Running stage" not in output


EVALUATIONS = {"evaluate_real@real-1-ide-0", "evaluate@full-2-ide-0"}


def test_a_new_alpha_runs_only_what_it_needs(copy):
    expected = {"report", "augment@full-3", "train_reid@full-3-ide-0", "evaluate@full-3-ide-0", "export@full-3"}
    assert after(copy, "\n  - 2\n", "\n  - 2\n  - 3\n") == expected
    assert "| full-a3 " in (copy / "data/report/table.md").read_text()


def test_settings_of_evaluation_and_report_train_nothing(copy):
    dvc(copy, "repro")
    assert after(copy, "normalise: true", "normalise: false") == EVALUATIONS | {"report"}
    dvc(copy, "repro")
    assert after(copy, "average_precision: trapezoid", "average_precision: step") == {"report"}
    assert "step rule" in (copy / "data/report/table.md").read_text()


def test_what_a_change_touches_first(copy):
    # A dry run names the stages whose own dependencies or parameters changed, not those after them; the report looks at
    # all parameters.
    dvc(copy, "repro")
    assert after(copy, "      - kissme\n", "      - kissme\n      - other\n", "--dry") == EVALUATIONS | {"report"}
    assert after(copy, "    regulariser: 0.001", "    regulariser: 0.1", "--dry") == EVALUATIONS | {"report"}
    scored = {"score_gan_real", "score_gan@full"}
    assert after(copy, "    mirror: false", "    mirror: true", "--dry") == EVALUATIONS | scored | {"report"}
    text = (copy / "params.yaml").read_text()
    full = re.search(r"  full:.*?neighbourhood: 3", text, re.DOTALL).group()
    assert after(copy, full, full.replace("neighbourhood: 3", "neighbourhood: 5"), "--dry") == {
        "train_gan@full",
        "report",
    }


def test_a_rendering_is_a_row_of_its_own(copy):
    path = copy / "params.yaml"
    text = path.read_text()
    before = set(dvc(copy, "stage", "list", "--name-only").split())
    path.write_text(text.replace("renderings: []", "renderings: [views]"))
    added = set(dvc(copy, "stage", "list", "--name-only").split()) - before
    path.write_text(text)
    assert added == {
        "augment_rendered@views-2",
        "train_reid_rendered@views-2-ide-0",
        "evaluate_rendered@views-2-ide-0",
    }


def test_an_unknown_parameter_is_an_error_even_if_no_other_stage_looks(copy):
    path = copy / "params.yaml"
    text = path.read_text()
    path.write_text(text + "alpha: 4\n")
    done = subprocess.run(
        ["dvc", "repro"], cwd=copy, env=environment(copy), capture_output=True, text=True, check=False
    )
    path.write_text(text)
    assert done.returncode != 0
    assert "alpha: unknown parameter" in done.stderr


def test_metrics_and_plots_can_be_shown(copy):
    assert "euclidean" in dvc(copy, "metrics", "show")
    dvc(copy, "plots", "show")
    assert "cmc" in (copy / "dvc_plots/index.html").read_text()
