"""Fixtures: a project folder with a handful of people."""

import shutil
from pathlib import Path

import pytest
from commands import run, write_params


@pytest.fixture
def project(tmp_path, monkeypatch, tiny_zip):
    monkeypatch.chdir(tmp_path)
    Path("data/raw").mkdir(parents=True)
    shutil.copyfile(tiny_zip, "data/raw/tiny.zip")
    write_params()
    return tmp_path


@pytest.fixture
def prepared(project):
    for command in ("prepare", "estimate-poses", "pair"):
        run(command)
    return project
