"""Which code a result depends on, shown on packages made for that, and checked against what Python imports."""

import importlib
import itertools
import json
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

from reid.common.code import closure, code_digest, find, imports

FILES = {
    "__init__": '"""A package of methods."""\n',
    "work": "import numpy\nfrom . import loop\nfrom NAME.methods import METHODS\nimport NAME.says\n",
    "loop": "def train():\n    from NAME.deep.lazy import step\n    return step()\n",
    "deep/__init__": "import NAME.above\n",
    "deep/lazy": "from ..maths import square\nfrom os import path\n",
    "maths": '"""Squares."""\n\n\ndef square(x):\n    """One."""\n    return x * x\n',
    "above": "ABOVE = 1\n",
    "says": "import NAME.only_said\n",
    "only_said": "ONLY = 1\n",
    "exporter": "import NAME.maths\n",
    "methods/__init__": (
        "from NAME.methods.first import First\n"
        "from NAME.methods.second import Second\n"
        "from NAME.methods.third import Third, SIZE\n"
        "METHODS: dict[str, type[First] | type[Second]] = {'first': First, 'second': Second, 'third': Third}\n"
        "SIZES = {'all': SIZE}\n"
        "__all__ = ['First', 'METHODS', 'Second']\n"
    ),
    "methods/first": "from NAME.methods.shared import layer\nclass First: ...\n",
    "methods/second": "import NAME.methods.own\nclass Second: ...\n",
    "methods/third": "SIZE = 3\nclass Third: ...\n",
    "methods/shared": "layer = 1\n",
    "methods/own": "OWN = 1\n",
}
numbers = itertools.count()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The folder of a new package, which can be imported."""
    folder = tmp_path / f"toy{next(numbers)}"
    for name, source in FILES.items():
        (folder / f"{name}.py").parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.py").write_text(source.replace("NAME", folder.name))
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == folder.name]:
        del sys.modules[name]


def of(package, taken=()):
    """What code_digest says of the package's work with entries of METHODS."""
    entries = [importlib.import_module(f"{package.name}.methods").METHODS[name] for name in taken]
    return code_digest([f"{package.name}.work"], entries, [f"{package.name}.says"])


def names(package, taken=()):
    entries = [importlib.import_module(f"{package.name}.methods").METHODS[name] for name in taken]
    found = closure([f"{package.name}.work"], entries, [f"{package.name}.says"])
    assert found == {name: find(name) for name in found}
    return {name.removeprefix(f"{package.name}.") for name in found}


WORK = {"work", "loop", "deep", "deep.lazy", "maths", "above", "methods"}


def test_what_is_imported_counts(package):
    methods = {"methods.first", "methods.second", "methods.third", "methods.shared", "methods.own"}
    assert names(package) == WORK | methods


@pytest.mark.parametrize("file", ["work", "loop", "deep/__init__", "deep/lazy", "maths", "above", "methods/own"])
def test_an_edit_of_what_counts_is_noticed(package, file):
    before = of(package)
    (package / f"{file}.py").write_text((package / f"{file}.py").read_text() + "MORE = 1\n")
    assert of(package) != before


@pytest.mark.parametrize("file", ["says", "only_said", "exporter"])
def test_an_edit_of_anything_else_is_not(package, file):
    before = of(package)
    (package / f"{file}.py").write_text("MORE = 1\n")
    assert of(package) == before


def test_comments_docstrings_versions_and_layout_do_not_count(package):
    before = of(package)
    (package / "maths.py").write_text(
        '"""Other words."""\n__version__ = "2"\ndef square(x):\n    # as ever\n    return (x *\n        x)\n'
    )
    assert of(package) == before
    (package / "maths.py").write_text("def square(x):\n    return x + x\n")
    assert of(package) != before


def test_of_a_registry_only_what_is_taken_counts(package):
    # Third stays out, but not its module: SIZE comes from there too.
    assert names(package, ["first"]) == WORK | {"methods.first", "methods.shared", "methods.third"}
    assert names(package, ["second"]) == WORK | {"methods.second", "methods.own", "methods.third"}
    first = of(package, ["first"])
    assert first != of(package, ["second"]) != of(package)
    (package / "methods/own.py").write_text("OWN = 2\n")
    assert of(package, ["first"]) == first
    (package / "methods/fourth.py").write_text("class Fourth: ...\n")
    registry = package / "methods/__init__.py"
    lines = registry.read_text().replace("{'first': First", "{'first': First, 'fourth': Fourth")
    lines = lines.replace("'Second']", "'Second', 'Fourth']")
    registry.write_text(f"from {package.name}.methods.fourth import Fourth\n{lines}")
    assert of(package, ["first"]) == first, "another method, and its line"
    registry.write_text(registry.read_text().replace("'first': First", "'best': First"))
    assert of(package, ["first"]) != first


@pytest.mark.parametrize(
    "use",
    [
        "from NAME.methods import Second\n",
        "from NAME import methods\nmethods.Second()\n",
        "def f():\n    import NAME.methods as m\n    return m.Second\n",
    ],
)
def test_an_entry_that_is_used_elsewhere_counts(package, use):
    assert "methods.own" not in names(package, ["first"])
    (package / "maths.py").write_text(use.replace("NAME", package.name))
    assert "methods.own" in names(package, ["first"])


@pytest.mark.parametrize("use", ["ALSO = [Second]\n", "ALSO = {'x': First, 'y': partial(Second)}\n", "Second.x = 1\n"])
def test_an_entry_that_the_registrys_module_uses_counts(package, use):
    registry = package / "methods/__init__.py"
    importlib.import_module(f"{package.name}.methods")
    registry.write_text(registry.read_text() + use)
    assert "methods.own" in names(package, ["first"])


def test_an_entry_may_be_handed_on_by_its_package(package):
    importlib.import_module(f"{package.name}.methods")
    (package / "methods/first").mkdir()
    (package / "methods/first.py").rename(package / "methods/first/method.py")
    (package / "methods/first/__init__.py").write_text(f"from {package.name}.methods.first.method import First\n")
    for name in [name for name in sys.modules if name.startswith(f"{package.name}.")]:
        del sys.modules[name]
    importlib.invalidate_caches()
    expected = {"methods.first", "methods.first.method", "methods.shared", "methods.third"}
    assert names(package, ["first"]) == WORK | expected


def test_where_the_package_lies_does_not_matter(package, tmp_path, monkeypatch):
    before = of(package)
    shutil.copytree(package, tmp_path / "site-packages" / package.name)
    monkeypatch.syspath_prepend(tmp_path / "site-packages")
    assert find(f"{package.name}.work").parent.parent.name == "site-packages"
    assert of(package) == before


def test_modules_are_found_as_python_finds_them():
    assert find("reid.files.images") == ROOT / "reid/files/images.py"
    assert find("reid.files") == ROOT / "reid/files/__init__.py"
    for no_module in ("reid.files.images.samples", "reid.nothing", "nothing.at.all", "sys", "math"):
        assert find(no_module) is None
    assert {"numpy", "reid.common.atomic", "torch.Tensor"} <= imports("reid.files.images")


@pytest.mark.slow
@pytest.mark.parametrize("module", ["pipelines.stages.train_gan", "augment.streets.studio"])
def test_nothing_that_python_imports_is_missed(module):
    code = f"import sys, json, {module}\nprint(json.dumps(list(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name for name in json.loads(run.stdout) if name.partition(".")[0] in {"reid", "augment", "pipelines"}}
    known = closure([module])
    missed = [name for name in loaded - set(known) if not f"{name}.".startswith("reid.common.")]
    code = [line for name in missed for line in find(name).read_text().partition('"""\n')[2].splitlines() if line]
    assert [line for line in code if not line.startswith("__version__")] == [], "packages with a docstring alone"
    assert len(known) > 10
