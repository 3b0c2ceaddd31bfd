"""SIGKILL at chosen moments, then again until the stage ends: the weights are those of an uninterrupted run."""

import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from commands import profile
from conftest import ROOT
from ruamel.yaml import YAML

ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def project(tmp_path_factory, tiny_zip):
    """Prepared data, and parameters whose training saves its state every other iteration."""
    folder = tmp_path_factory.mktemp("kill")
    (folder / "data/raw").mkdir(parents=True)
    shutil.copyfile(tiny_zip, folder / "data/raw/tiny.zip")
    params = profile("smoke")
    params["dataset"]["path"], params["pose"]["estimator"], params["threads"] = "data/raw/tiny.zip", "truth", 1
    params["gan"]["full"]["options"]["iterations"] = 12
    params["gan"]["full"]["training"]["checkpoint_every"] = 2
    params["reid"]["ide"]["training"].update(iterations=12, batch_size=8, checkpoint_every=2)
    YAML().dump(params, folder / "params.yaml")
    for command in ("prepare", "estimate-poses", "pair"):
        run(folder, "-m", "pipelines", command)
    return folder


def run(folder, *words):
    """Run Python in a folder until it ends well."""
    done = subprocess.run([sys.executable, *words], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "result"),
    [
        (["train-gan", "full"], Path("data/gan/full/weights.pt")),
        (["train-reid", "ide", "--out", "data/reid/real-ide"], Path("data/reid/real-ide/network.pt")),
    ],
    ids=["train-gan", "train-reid"],
)
def test_killed_and_resumed_is_as_good_as_whole(project, words, result):
    run(project, "-m", "pipelines", *words)
    whole = (project / result).read_bytes()
    shutil.rmtree((project / result).parent)

    # A state is saved every other iteration. What is saved is made in a folder, moved, and the folder is removed.
    moments = [
        ("os.mkdir", 3, "state.pt.partial"),  # the second time; there are two tries to make each
        ("os.rename", 3, "state.pt.partial"),
        ("os.rmdir", 1, "state.pt.partial"),
        ("os.rename", 1, f"{result.name}.partial"),
        ("shutil.rmtree", 1, ".scratch"),  # when all is done, and the state is removed
    ]
    kept = project / "kept" / words[0]
    lines = ";".join(f"{event},{count},{part}" for event, count, part in moments)
    run(project, ROOT / "tests/killing.py", kept, result, lines, *words)
    assert [torch.load(kept / f"{number}/state.pt")["iteration"] for number in range(4)] == [2, 6, 8, 12]
    assert not list(kept.glob(f"[0-3]/{result.name}"))
    assert (kept / "4" / result.name).read_bytes() == whole
    assert not (kept / "4/state.pt").exists()

    run(project, "-m", "pipelines", *words)
    assert (project / result).read_bytes() == whole
    assert not list((project / ".scratch").iterdir())


# Renders with two processes until the first person is there; then it stops them, says their numbers, and waits.
RENDER = """
import multiprocessing, os, signal, sys
from augment.streets import studio
run = studio._run

def until_the_first(jobs, processes):
    for _ in run(jobs, processes):
        workers = [worker.pid for worker in multiprocessing.active_children()]
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        print(*workers, flush=True)
        signal.pause()
        yield

studio._run = until_the_first
studio.render(6, 3, studio.Path(sys.argv[1]), 2, backgrounds=False)
"""


def test_a_killed_rendering_leaves_no_process_and_goes_on(tmp_path):
    def render(name):
        options = ["--identities", "6", "--seed", "3", "--processes", "2", "--no-backgrounds", "--out", tmp_path / name]
        run(ROOT, "-m", "pipelines", "render", *options)

    render("whole.zip")
    command = [sys.executable, "-c", RENDER, tmp_path / "killed.zip"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        workers = [int(pid) for pid in running.stdout.readline().split()]
        assert len(workers) == 2
        ends = [os.pidfd_open(pid) for pid in workers]
        running.kill()
    for pid in workers:
        os.kill(pid, signal.SIGCONT)
    for end in ends:
        assert select.select([end], [], [], 60)[0], "a process goes on without the one that started it"
        os.close(end)
    assert not (tmp_path / "killed.zip").exists()
    kept = list((tmp_path / "killed.zip.parts").glob("*.zip"))
    assert 1 <= len(kept) < 7
    render("killed.zip")
    assert (tmp_path / "killed.zip").read_bytes() == (tmp_path / "whole.zip").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed.zip", "whole.zip"]
