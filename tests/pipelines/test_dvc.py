"""dvc.yaml against the code: DVC does not follow imports, so its dependencies are checked here."""

import ast
from configparser import ConfigParser
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipelines.__main__ import main

STAGES = YAML(typ="safe").load(Path("dvc.yaml"))["stages"]
# Modules whose change runs no stage again: they say, name, check and resume, but compute nothing.
NEUTRAL = {
    "pipelines/augmented.py",
    "pipelines/console.py",
    "pipelines/layout.py",
    "pipelines/params.py",
    "pipelines/reid_params.py",
    "pipelines/resume.py",
    "pipelines/runtime.py",
    *(path.as_posix() for path in Path("reid/common").iterdir()),
    "reid/pictures/sheets.py",
}


def module_of(stage):
    """The module behind a stage: of its own name, or where it shares a command with another stage, the command's."""
    own = Path(f"pipelines/stages/{stage}.py")
    return own if own.exists() else Path(f"pipelines/stages/{STAGES[stage]['cmd'].split()[3].replace('-', '_')}.py")


def computes(path):
    """Whether a file holds more than a docstring."""
    return any(not isinstance(node, ast.Expr) for node in ast.parse(path.read_text()).body)


@cache
def imports(path):
    """Files of the project that a file imports, at its top or inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    files = set()
    for name in names:
        parts = Path(*name.split("."))
        files |= {file for file in (parts.with_suffix(".py"), parts / "__init__.py") if file.exists()}
        files |= {parent / "__init__.py" for parent in parts.parents if (parent / "__init__.py").exists()}
    return files


def closure(path, seen):
    if path not in seen:
        seen.add(path)
        for file in imports(path):
            if str(file) not in NEUTRAL and computes(file):
                closure(file, seen)
    return seen


@pytest.mark.parametrize("stage", STAGES)
def test_a_stages_code_is_among_its_dependencies(stage):
    deps = [Path(dep) for dep in STAGES[stage]["deps"] if "$" not in dep]
    uncovered = [
        str(file)
        for file in sorted(closure(module_of(stage), set()))
        if not any(dep == file or dep in file.parents for dep in deps)
    ]
    assert uncovered == []


@pytest.mark.parametrize("stage", STAGES)
def test_dependencies_exist_and_are_used(stage):
    code = closure(module_of(stage), set())
    for dep in STAGES[stage]["deps"]:
        if dep.startswith(("data/", "$")):
            continue
        assert Path(dep).exists(), dep
        assert any(Path(dep) == file or Path(dep) in file.parents for file in code), f"{dep} is not imported"


@pytest.mark.parametrize("stage", STAGES)
def test_who_reads_pixels_depends_on_the_data_set(stage):
    reads = Path("reid/files/images.py") in closure(module_of(stage), set()) and stage != "pair"
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
        for path in Path(package).rglob("*.py"):
            assert not {file.parts[0] for file in imports(path)} & forbidden, path
    rooms = {Path(f"reid/{room}") for room in ("common", "files", "randomness")}
    allowed = {Path("reid/__init__.py"), Path("reid/datasets/__init__.py"), Path("reid/datasets/deepfashion_names.py")}
    for path in Path("augment").rglob("*.py"):
        used = {file for file in imports(path) if file.parts[0] == "reid" and not rooms & set(file.parents)}
        assert used <= allowed, path
