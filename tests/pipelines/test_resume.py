"""Which edits and settings let an interrupted stage go on, and which have it start anew."""

import shutil
from pathlib import Path

import pytest
import toy_method
from conftest import ROOT

from augment.methods import METHODS
from pipelines.resume import scratch
from reid.common import code
from reid.networks import NETWORKS


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The project's code, copied to where it can be edited."""
    monkeypatch.chdir(tmp_path)
    for package in ("reid", "augment", "pipelines"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    find = code.find

    def find_copy(module):
        file = find(module)
        return tmp_path / file.relative_to(ROOT) if file and (ROOT / module.partition(".")[0]) in file.parents else file

    monkeypatch.setattr(code, "find", find_copy)
    Path("input").write_text("1")


def ignored(folder, names):
    return [name for name in names if (Path(folder) / name).is_file() and not name.endswith(".py")]


def folder(module="pipelines.stages.train_gan", taken=(), **change):
    settings = {"seed": 0, "training": {"rate": 0.1, "log_every": 5, "checkpoint_every": 5} | change}
    return scratch("run", settings, [Path("input")], module, taken).folder


def test_how_often_something_is_written_changes_nothing(copied):
    first = folder()
    assert folder() == first
    assert folder(log_every=1, checkpoint_every=1) == first
    assert folder(rate=0.2) != first


def test_another_input_starts_anew(copied):
    first = folder()
    Path("input").write_text("2")
    assert folder() != first


# What a stage's run takes from registries, edits that must not stop it from going on, and edits that must.
CASES = [
    (
        "train_gan",
        [METHODS["pose_gan"]],
        ["reid/export/checks.py", "pipelines/stages/report.py", "pipelines/layout.py", "reid/common/atomic.py"],
        ["augment/training.py", "augment/losses.py", "reid/files/images.py", "pipelines/stages/train_gan.py"],
    ),
    (
        "train_gan",
        [toy_method.Toy],
        ["augment/scores/ssim.py", "augment/streets/world.py", "reid/training/loop.py", "reid/pictures/sheets.py"],
        ["augment/methods/contract.py", "augment/geometry/heatmaps.py", "pipelines/people.py"],
    ),
    (
        "train_reid",
        [NETWORKS["ide"]],
        ["reid/networks/siamese.py", "reid/distances/xqda.py", "reid/evaluation/ranking.py", "augment/training.py"],
        ["reid/networks/ide.py", "reid/networks/libraries.py", "reid/training/loop.py", "reid/randomness/seeds.py"],
    ),
    (
        "train_reid",
        [NETWORKS["siamese"]],
        ["reid/datasets/prw.py"],
        ["reid/networks/siamese.py", "reid/networks/ide.py", "reid/networks/__init__.py"],
    ),
    (
        "augment_rendered",
        [],
        ["augment/methods/pose_gan/unet.py", "augment/training.py"],
        ["augment/streets/fabric.py", "augment/plans/rendering.py", "pipelines/augmented.py"],
    ),
]


@pytest.mark.parametrize(("stage", "taken", "unrelated", "used"), CASES)
def test_only_edits_of_code_that_a_run_uses_start_it_anew(copied, stage, taken, unrelated, used):
    first = folder(f"pipelines.stages.{stage}", taken)
    for file in unrelated:
        edit(file)
        assert folder(f"pipelines.stages.{stage}", taken) == first, file
    seen = {first}
    for file in used:
        edit(file)
        now = folder(f"pipelines.stages.{stage}", taken)
        assert now not in seen, file
        seen.add(now)


def edit(file):
    with Path(file).open("a") as code:
        code.write("\nEDITED = True\n")
