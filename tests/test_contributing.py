"""CONTRIBUTING.md's smallest method does what is said of it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import torch
from poses import random_poses
from ruamel.yaml import YAML

from augment import methods
from augment.data.people import People
from augment.data.tuples import Tuples
from augment.methods import METHODS
from augment.training import train
from pipelines.params import GanParams
from reid.common.checkpoints import Scratch

TEXT = Path("CONTRIBUTING.md").read_text()
PEOPLE = People(
    torch.randint(0, 256, (6, 3, 32, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
    random_poses(6, 0),
)


def test_the_smallest_method_trains(tmp_path, monkeypatch):
    names = {}
    exec(re.search(r"```python\n(.*?)```", TEXT, re.S)[1], names)
    monkeypatch.setitem(METHODS, "convolution", names["Convolution"])
    section = GanParams.model_validate(
        YAML(typ="safe").load(re.search(r"```yaml\n(.*?)```", TEXT, re.S)[1])["gan"]["mine"]
    )
    torch.manual_seed(0)
    method = METHODS[section.method](size=(32, 16), **section.options)
    pairs = torch.cartesian_prod(torch.arange(6), torch.arange(6))
    log = train(method, PEOPLE, pairs, Scratch("s", {}, tmp_path), **section.training)
    assert [row["iteration"] for row in log] == [50, 100, 150, 200]
    assert log[-1]["l1"] < log[0]["l1"]
    methods.save(method, section.method, section.options, tmp_path / "mine")
    batch = PEOPLE.batch(Tuples.of_pairs(torch.tensor([0, 1]), torch.tensor([2, 3])))
    assert torch.equal(methods.load(tmp_path / "mine").generate(batch), method.generate(batch))


def test_files_that_are_named_exist():
    named = set(re.findall(r"`((?:augment|reid|pipelines|tests|benchmarks|profiles)/[\w/.-]+\.\w+)`", TEXT))
    assert len(named) > 8
    assert [name for name in named if "NAME" not in name and not Path(name).exists()] == []


def test_it_works_as_a_module_of_the_package(tmp_path):
    """Written down where CONTRIBUTING says, under a name that is imported before all others, with its line."""
    shutil.copytree("augment", tmp_path / "augment", ignore=shutil.ignore_patterns("__pycache__", "streets"))
    folder = tmp_path / "augment/methods"
    (folder / "aaa.py").write_text(re.search(r"```python\n(.*?)```", TEXT, re.S)[1])
    registry = (folder / "__init__.py").read_text()
    line = "METHODS: dict[str, Callable[..., Method]] = {"
    assert line in registry
    registry = registry.replace(line, line + '"convolution": Convolution, ')
    head, rest = registry.split("from augment.methods", 1)
    (folder / "__init__.py").write_text(
        f"{head}from augment.methods.aaa import Convolution\nfrom augment.methods{rest}"
    )
    command = "from augment.methods import METHODS; print(*METHODS['convolution'](size=(32, 16)).networks)"
    path = os.pathsep.join([str(tmp_path), os.getcwd()])
    words = [sys.executable, "-P", "-c", command]
    done = subprocess.run(words, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "generator", done.stderr
