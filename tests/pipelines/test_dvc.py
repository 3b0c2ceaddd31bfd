"""dvc.yaml against the code: DVC does not follow imports, so its dependencies are checked here."""

from configparser import ConfigParser
from functools import cache
from pathlib import Path

import pytest
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
        if dep.startswith(("data/", "$")):
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
    allowed = ("reid.common.", "reid.files.", "reid.randomness.", "reid.datasets.deepfashion_names.")
    for module in modules("augment"):
        used = {name for name in imports(module) if name.startswith("reid.")}
        assert not {name for name in used if not f"{name}.".startswith(allowed)}, module
