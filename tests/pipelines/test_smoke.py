"""`dvc repro` on the smoke profile and a few people in a copy of the project; then what runs after which change."""

import json
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

pytestmark = pytest.mark.slow

# DVC's commands one after the other in one process, each with its own params.yaml: it takes seconds to start.
ASK = """
import json, sys
from pathlib import Path
from dvc.cli import main

for text, words in json.load(sys.stdin):
    Path("params.yaml").write_text(text)
    code = main(words)
    print(f"\\n=== ended with {code}", flush=True)
    print("\\n===", file=sys.stderr, flush=True)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory, tiny_zip):
    """After `dvc repro`."""
    folder = tmp_path_factory.mktemp("smoke") / "project"
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, files.split("\0")):
        if (ROOT / name).exists() and name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    shutil.copyfile(tiny_zip, folder / "data/raw/streets.zip")
    (folder / "params.yaml").write_text(compose(["smoke"]))
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    start(folder, "dvc", "repro")
    return folder


def start(folder, *command, **options):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done


def changed(text, *changes):
    """params.yaml with some words in place of others, `old -> new`."""
    for change in changes:
        old, new = change
        assert text.count(old) >= 1
        text = text.replace(old, new)
    return text


def stages(output):
    """Names of the stages that ran, or would, but for the one that does whenever params.yaml has changed."""
    return set(re.findall(r"Running stage '([^']+)'", output)) - {"check_params"}


ALPHA = ("\n- 2\n", "\n- 2\n- 3\n")
NORMALISE = ("normalise: true", "normalise: false")
STEP = ("average_precision: trapezoid", "average_precision: step")
FULL = re.compile(r"  full:.*?neighbourhood: 3", re.DOTALL)
PCA = ("  pca: 64", "  pca: 32")
DRY = {  # what is changed; stages whose own dependencies or parameters that touches
    "other distances": [("    - kissme\n", "    - kissme\n    - other\n")],
    "a distance's options": [("    regulariser: 0.001", "    regulariser: 0.1")],
    "embedding": [("    mirror: false", "    mirror: true")],
    "components of features, which no row has": [PCA],
    "a generator": None,
}


@pytest.fixture(scope="module")
def answers(copy):
    """What DVC says of the pipeline that has just run; nothing runs again."""
    text = (copy / "params.yaml").read_text()
    full = FULL.search(text).group()
    generator = [(full, full.replace("neighbourhood: 3", "neighbourhood: 5"))]
    questions = {name: (changed(text, *(changes or generator)), ["repro", "--dry"]) for name, changes in DRY.items()}
    names = ["stage", "list", "--name-only"]
    questions |= {
        "again": (text, ["repro"]),
        "stages": (text, names),
        "stages without exports": (re.sub(r"\nexports:.*\n- full\n", "\nexports: []\n", text), names),
        "stages with a rendering": (changed(text, ("renderings: []", "renderings: [views]")), names),
        "unknown parameter": (text + "alpha: 4\n", ["repro"]),
        "metrics": (text, ["metrics", "show"]),
        "plots": (text, ["plots", "show"]),
    }
    done = start(copy, sys.executable, "-c", ASK, input=json.dumps(list(questions.values())))
    (copy / "params.yaml").write_text(text)
    outputs = re.findall(r"(.*?)\n=== ended with (\d+)\n", done.stdout, re.DOTALL)
    errors = done.stderr.split("\n===\n")
    said = {name: (*output, error) for name, output, error in zip(questions, outputs, errors[:-1], strict=True)}
    assert {name for name, (_, code, _) in said.items() if code != "0"} == {"unknown parameter"}
    return {name: output + error for name, (output, _, error) in said.items()}


@pytest.fixture(scope="module")
def runs(copy, answers):
    """What `dvc repro` runs after one change and then another, and the table that it makes."""
    path = copy / "params.yaml"
    text, made = path.read_text(), {}
    for change in (ALPHA, NORMALISE, STEP):
        path.write_text(changed(text, change))
        made[change] = (stages(start(copy, "dvc", "repro").stdout), (copy / "data/report/table.md").read_text())
    path.write_text(text)
    return made


def test_it_makes_the_table_and_its_pictures(copy):
    table = (copy / "data/report/table.md").read_text()
    assert [line.split()[1] for line in table.splitlines()[2:4]] == ["real", "full-a2"]
    assert (copy / "data/report/figures/cmc.png").exists()


def test_it_exports_a_set_without_faults(copy):
    assert [path.name for path in (copy / "data/export").iterdir()] == ["streets-full-a2.zip"]
    assert check(copy / "data/export/streets-full-a2.zip")[1] == []


def test_no_exports_is_no_stage(answers):
    fewer = set(answers["stages without exports"].split())
    assert {name for name in set(answers["stages"].split()) - fewer if name.startswith("export")}
    assert "report" in fewer
    assert not [stage for stage in fewer if stage.startswith("export")]


def test_a_second_time_nothing_runs(answers):
    assert "Data and pipelines are up to date." in answers["again"]
    assert stages(answers["again"]) == set()


EVALUATIONS = {"evaluate_real@real-1-ide-0", "evaluate@full-2-ide-0"}


def test_a_new_alpha_runs_only_what_it_needs(runs):
    ran, table = runs[ALPHA]
    assert ran == {"report", "augment@full-3", "train_reid@full-3-ide-0", "evaluate@full-3-ide-0", "export@full-3"}
    assert "| full-a3 " in table


def test_settings_of_evaluation_and_report_train_nothing(runs):
    assert runs[NORMALISE][0] == EVALUATIONS | {"report"}
    ran, table = runs[STEP]
    assert ran == {"report"}, "the evaluations as they were before are in the run cache"
    assert "step rule" in table


def test_what_a_change_touches_first(answers):
    # A dry run names the stages whose own dependencies or parameters changed, not those after them; the report looks at
    # all parameters.
    assert {name: stages(answers[name]) - {"report"} for name in DRY} == {
        "other distances": EVALUATIONS,
        "a distance's options": EVALUATIONS,
        "components of features, which no row has": set(),
        "embedding": EVALUATIONS | {"score_gan_real", "score_gan@full"},
        "a generator": {"train_gan@full"},
    }
    assert all("report" in stages(answers[name]) for name in DRY)


def test_a_rendering_is_a_row_of_its_own(answers):
    assert set(answers["stages with a rendering"].split()) - set(answers["stages"].split()) == {
        "augment_rendered@views-2",
        "train_reid_rendered@views-2-ide-0",
        "evaluate_rendered@views-2-ide-0",
    }


def test_an_unknown_parameter_is_an_error_even_if_no_other_stage_looks(answers):
    assert "alpha: unknown parameter" in answers["unknown parameter"]


def test_metrics_and_plots_can_be_shown(copy, answers):
    assert "ide-euclidean Rank-1" in answers["metrics"]
    shown = (copy / "dvc_plots/index.html").read_text()
    assert "figures_cmc.png" in shown
    for series in ("cmc", "networks", "generators"):
        assert f"data/report/series/{series}.tsv" in shown


def test_a_second_clone_has_all_of_it_by_pull(copy, answers, tmp_path):
    table = (copy / "data/report/table.md").read_bytes()
    git = ("git", "-c", "user.email=a@b.c", "-c", "user.name=A")
    start(copy, "dvc", "remote", "add", "--default", "store", str(tmp_path / "store"))
    start(copy, "dvc", "push")
    start(copy, *git, "add", ".")
    start(copy, *git, "commit", "--quiet", "--message", "run")
    second = tmp_path / "second"
    start(copy, "git", "clone", "--quiet", str(copy), str(second))
    for command in ("pull", "checkout"):  # which end with 1 where a stage of the parameters has never been run
        start(second, "dvc", command)
    assert (second / "data/report/table.md").read_bytes() == table
    assert check(second / "data/export/streets-full-a2.zip")[1] == []
