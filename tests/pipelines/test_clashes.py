"""Other packages named like ours are told, with the remedy, before anything of them is used."""

import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

from pipelines.clashes import NAMES, clash


def run(*path):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    command = [sys.executable, "-P", "-m", "pipelines", "--version"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_another_reid_is_told(tmp_path):
    (tmp_path / "reid").mkdir()
    (tmp_path / "reid/__init__.py").write_text("")  # without `__version__`: an import from it would be a traceback
    done = run(tmp_path, ROOT)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: `reid` is imported from {tmp_path}, not from {ROOT}")
    assert "`pip uninstall reid`" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_version_is_that_of_the_packages():
    assert run(ROOT).stdout == "reid-augmentation, version 0.1.0\n"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An environment with this project installed from its wheel, as far as its packages go."""
    home = tmp_path / "site-packages"
    for name in NAMES:
        (home / name).mkdir(parents=True)
        shutil.copyfile(ROOT / name / "__init__.py", home / name / "__init__.py")
    monkeypatch.syspath_prepend(home)
    for name in NAMES:
        monkeypatch.delitem(sys.modules, name)
    return home


def test_another_that_is_installed_into_the_same_place_is_told(installed):
    assert clash(installed) is None
    about = installed / "reid-2.1.dist-info/METADATA"
    about.parent.mkdir()
    about.write_text("Metadata-Version: 2.1\nName: reid\nVersion: 2.1\n")
    assert "`reid` 2.1 of another project is installed" in clash(installed)
