"""SIGKILL at chosen moments, then again until the stage ends: the weights are those of an uninterrupted run."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from commands import write_params
from conftest import ROOT

from augment.streets import studio

pytestmark = pytest.mark.slow
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


def run(*words):
    """Run Python in the current folder until it ends well."""
    done = subprocess.run([sys.executable, *words], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "result"),
    [
        (["train-gan", "full"], Path("data/gan/full/weights.pt")),
        (["train-reid", "ide", "--out", "data/reid/real-ide"], Path("data/reid/real-ide/network.pt")),
    ],
    ids=["train-gan", "train-reid"],
)
def test_killed_and_resumed_is_as_good_as_whole(prepared, words, result):
    def often(params):
        params["gan"]["full"]["options"]["iterations"] = params["reid"]["ide"]["training"]["iterations"] = 10
        for part in (params["gan"]["full"], params["reid"]["ide"]):
            part["training"]["checkpoint_every"] = 2

    write_params(often)
    # A state is saved every other iteration. What is saved is made in a folder, moved, and the folder is removed.
    moments = [
        ("os.mkdir", 3, "state.pt.partial"),  # the second time; there are two tries to make each
        ("os.rename", 3, "state.pt.partial"),
        ("os.rmdir", 1, "state.pt.partial"),
        ("os.rename", 1, f"{result.name}.partial"),
        ("os.rename", 1, "result.partial"),  # when all is done, and the result is kept in the place of the state
        ("os.remove", 1, "state.pt"),
    ]
    lines = ";".join(f"{event},{count},{part}" for event, count, part in moments)
    run(ROOT / "tests/killing.py", "kept", result, lines, *words)
    whole = Path("kept/whole", result.name).read_bytes()
    assert [torch.load(f"kept/{number}/state.pt")["iteration"] for number in range(6)] == [2, 6, 8, 10, 10, 10]
    assert not list(Path("kept").glob(f"[0-3]/{result.name}"))
    for killed in ("4", "5"):
        assert Path("kept", killed, result.name).read_bytes() == whole
    assert result.read_bytes() == whole
    (state,) = Path(".scratch").iterdir()
    assert sorted(path.name for path in state.iterdir()) == ["lock", "result", "settings.json"]


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
studio.render(2, 3, studio.Path(sys.argv[1]), 2, backgrounds=False)
"""


def test_a_killed_rendering_leaves_no_process_and_goes_on(tmp_path):
    studio.render(2, 3, tmp_path / "whole.zip", 1, backgrounds=False)
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
    assert 1 <= len(kept) < 3
    studio.render(2, 3, tmp_path / "killed.zip", 2, backgrounds=False)
    assert (tmp_path / "killed.zip").read_bytes() == (tmp_path / "whole.zip").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed.zip", "whole.zip"]
