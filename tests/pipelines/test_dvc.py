"""dvc.yaml against the code: DVC does not follow imports, so its dependencies are checked here."""

import os
import shutil
import subprocess
import sys
from configparser import ConfigParser
from functools import cache
from pathlib import Path

import pytest
from commands import write_params
from conftest import ROOT
from ruamel.yaml import YAML

from pipelines.__main__ import main
from pipelines.resume import NEUTRAL
from reid.common.code import closure, imports

STAGES = YAML(typ="safe").load(Path("dvc.yaml"))["stages"]


@cache
def code(stage):
    """The files that decide a stage's result: those of its module, or where it shares a command, of the command's."""
    command = STAGES[stage]["cmd"].split()[3].replace("-", "_")
    name = stage if Path(f"pipelines/stages/{stage}.py").exists() else command
    files = closure([f"pipelines.stages.{name}"], neutral=NEUTRAL).values()
    return {file.relative_to(Path.cwd()) for file in files}


def modules(package):
    return [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in Path(package).rglob("*.py")]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stages_code_is_among_its_dependencies(stage):
    deps = [Path(dep) for dep in STAGES[stage]["deps"] if "$" not in dep]
    uncovered = [
        str(file) for file in sorted(code(stage)) if not any(dep == file or dep in file.parents for dep in deps)
    ]
    assert uncovered == []


@pytest.mark.parametrize("stage", STAGES)
def test_dependencies_exist_and_are_used(stage):
    for dep in STAGES[stage]["deps"]:
        if dep.startswith(("data/", "$", "params.yaml")):
            continue
        assert Path(dep).exists(), dep
        assert any(Path(dep) == file or Path(dep) in file.parents for file in code(stage)), f"{dep} is not imported"


@pytest.mark.parametrize("stage", STAGES)
def test_who_reads_pixels_depends_on_the_data_set(stage):
    reads = Path("reid/files/images.py") in code(stage) and stage != "pair"
    assert ("${dataset.path}" in STAGES[stage]["deps"]) == reads


@pytest.mark.parametrize("stage", STAGES)
def test_commands_exist(stage):
    words = STAGES[stage]["cmd"].split()
    assert words[:3] == ["python", "-m", "pipelines"]
    options = {option for parameter in main.commands[words[3]].params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize("stage", STAGES)
def test_no_output_turns_the_run_cache_off(stage):
    assert all(isinstance(out, str) for out in STAGES[stage]["outs"]), "no persist, no cache: false"


def test_dvc_sends_nothing_and_asks_nothing():
    config = ConfigParser()
    config.read(".dvc/config")
    assert config["core"]["analytics"] == config["core"]["check_update"] == "false"


def test_imports_go_one_way():
    for package, forbidden in (("reid", {"augment", "pipelines"}), ("augment", {"pipelines"})):
        for module in modules(package):
            assert not {name.partition(".")[0] for name in imports(module)} & forbidden, module
    allowed = ("reid.common.", "reid.files.", "reid.networks.", "reid.randomness.", "reid.datasets.deepfashion_names.")
    for module in modules("augment"):
        used = {name for name in imports(module) if name.startswith("reid.")}
        assert not {name for name in used if not f"{name}.".startswith(allowed)}, module


@pytest.mark.slow
def test_nothing_of_params_yaml_runs_as_a_command(project):
    """DVC makes commands of its values: the first stage refuses those that are not what they should be."""
    shutil.copyfile(ROOT / "dvc.yaml", "dvc.yaml")
    for dep in sorted({dep for stage in STAGES.values() for dep in stage["deps"]}):
        target = Path(dep)
        if not dep.startswith(("data/", "$", "params")) and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(ROOT / dep)
    keys = ("seeds", "alphas")
    write_params(lambda p: p.update({**{key: ["2; touch harm #"] for key in keys}, "exports": []}))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for words in (("dvc", "init", "-q", "--no-scm"), ("dvc", "repro")):
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode != 0
    for key in keys:
        assert f"{key}[0]: " in done.stderr or f"{key}.0: " in done.stderr, done.stderr
    assert not Path("harm").exists()
    assert not Path("data/samples").exists()


@pytest.mark.slow
def test_data_that_are_added_reach_a_second_clone(tmp_path):
    """What a user puts into data/raw or data/weights, by `dvc add`, `push`, and `checkout` and `pull` elsewhere."""

    def run(folder, *words):
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    first, second = tmp_path / "first", tmp_path / "second"
    for name in ("data/.gitignore", ".dvcignore"):
        (first / name).parent.mkdir(parents=True, exist_ok=True)
        (first / name).write_bytes((ROOT / name).read_bytes())
    git = ("git", "-c", "user.email=a@b.c", "-c", "user.name=A")
    run(first, *git, "init", "-q")
    run(first, "dvc", "init", "-q")
    run(first, "dvc", "remote", "add", "-q", "-d", "store", str(tmp_path / "store"))
    files = {name: first / "data" / name for name in ("raw/mine.zip", "raw/folder/a.jpg", "weights/w.pth")}
    for name, path in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    added = [f"data/{name}" for name in ("raw/mine.zip", "raw/folder", "weights/w.pth")]
    run(first, "dvc", "add", "-q", *added)
    assert "files pushed" in run(first, "dvc", "push")
    run(first, *git, "add", ".")
    run(first, *git, "commit", "-qm", "data")
    assert not run(first, "git", "ls-files", *added), "git has the .dvc files alone"
    files["raw/mine.zip"].unlink()
    run(first, "dvc", "checkout")
    run(tmp_path, *git, "clone", "-q", "first", "second")
    run(second, "dvc", "pull")
    for name, path in files.items():
        assert path.read_text() == (second / "data" / name).read_text() == name
