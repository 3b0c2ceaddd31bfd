"""What `make setup`, `make test` and `make docs` install: the locks hold what pyproject.toml asks for, and no more."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution

import pytest
from conftest import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LEFT_OUT = {"setuptools", "imageio"}  # torch compiles C++ with the first, scikit-image reads files with the other
OLDEST = {"python_version": "3.11", "python_full_version": "3.11.0"}  # needs all that newer ones need
FILES = {path.stem: path.read_text().splitlines()[1:] for path in (ROOT / "requirements").glob("*.lock")}


def locked(file):
    return {canonicalize_name(line.split("==")[0]) for line in FILES[file]}


def needed(requirements):
    """Names of all distributions that these need on this machine, themselves included."""
    extras, waiting = {}, [Requirement(text) for text in requirements]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in extras and wanted.extras <= extras[name]:
            continue
        extras.setdefault(name, set()).update(wanted.extras)
        try:
            further = map(Requirement, distribution(wanted.name).requires or [])
        except PackageNotFoundError:  # for other systems
            continue
        for each in further:
            if each.marker is None or any(
                each.marker.evaluate({"extra": extra, **OLDEST}) for extra in {"", *extras[name]}
            ):
                each.marker = None
                waiting.append(each)
    return set(extras)


def test_the_pipelines_lock_has_what_it_needs_and_no_tools():
    assert needed(PROJECT["dependencies"]) - LEFT_OUT <= locked("pipeline")
    assert locked("pipeline") <= needed(PROJECT["dependencies"])


def test_the_tools_lock_has_the_rest():
    with_tools = needed([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]])
    assert with_tools - locked("pipeline") - LEFT_OUT <= locked("developer")
    assert locked("developer") <= with_tools
    assert not locked("pipeline") & locked("developer")


def test_the_sites_lock_has_the_rest_of_what_it_needs():
    others, extra = locked("pipeline") | locked("developer"), PROJECT["optional-dependencies"]["docs"]
    assert set(map(canonicalize_name, extra)) <= locked("docs")
    assert not others & locked("docs")
    pytest.importorskip("mkdocs", reason="what its packages need, only they say; `make docs` installs them")
    assert needed(extra) - others <= locked("docs") <= needed(extra)


def test_locks_hold_exact_versions_and_no_addresses():
    line = re.compile(r'[\w.-]+==[\w.+]+( ; sys_platform == "linux")?')
    assert [text for lines in FILES.values() for text in lines if not line.fullmatch(text)] == []
