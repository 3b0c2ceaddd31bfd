"""Fixtures: project folders with a handful of people, after none, some and more of the stages."""

import shutil
from functools import partial
from pathlib import Path

import pytest
from commands import run, write_params


def copied(folder, tmp_path, monkeypatch):
    """A copy of a project that a test may change, which becomes the current folder."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def after(folder, *commands):
    """The project in a folder, after some commands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for words in commands:
            run(*words)
    return folder


@pytest.fixture(autouse=True)
def quick_maps(monkeypatch):
    """Maps of features by fewer iterations; tests/reid/test_maps.py is about maps."""
    from sklearn.manifold import TSNE

    monkeypatch.setattr("sklearn.manifold.TSNE", partial(TSNE, max_iter=250))


@pytest.fixture(scope="session")
def new_project(tmp_path_factory, tiny_zip):
    """The parameters of `write_params` and the data set; not to be changed."""
    folder = tmp_path_factory.mktemp("new")
    (folder / "data/raw").mkdir(parents=True)
    shutil.copyfile(tiny_zip, folder / "data/raw/tiny.zip")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_params()
    return folder


@pytest.fixture(scope="session")
def prepared_project(tmp_path_factory, new_project):
    """That with samples, poses and pairs; not to be changed."""
    folder = shutil.copytree(new_project, tmp_path_factory.mktemp("prepared"), dirs_exist_ok=True)
    return after(folder, ["prepare"], ["estimate-poses"], ["pair"])


@pytest.fixture(scope="session")
def trained_project(tmp_path_factory, prepared_project):
    """That with the generator `full` and the network `ide`, trained on real images; not to be changed."""
    folder = shutil.copytree(prepared_project, tmp_path_factory.mktemp("trained"), dirs_exist_ok=True)
    return after(folder, ["train-gan", "full"], ["train-reid", "ide", "--out", REAL])


REAL = Path("data/reid/real-a1-ide-s0")


@pytest.fixture
def project(new_project, tmp_path, monkeypatch):
    return copied(new_project, tmp_path, monkeypatch)


@pytest.fixture
def prepared(prepared_project, tmp_path, monkeypatch):
    return copied(prepared_project, tmp_path, monkeypatch)


@pytest.fixture
def trained(trained_project, tmp_path, monkeypatch):
    return copied(trained_project, tmp_path, monkeypatch)
