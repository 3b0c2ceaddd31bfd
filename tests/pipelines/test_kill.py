"""SIGKILL at a random moment, then again until the stage ends: the weights are those of an uninterrupted run."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import profile
from conftest import ROOT
from ruamel.yaml import YAML

TIMEOUT = 120  # seconds for the first sign of life


@pytest.fixture(scope="module")
def project(tmp_path_factory, tiny_zip):
    """Prepared data, and parameters whose training saves its state every other iteration."""
    folder = tmp_path_factory.mktemp("kill")
    (folder / "data/raw").mkdir(parents=True)
    shutil.copyfile(tiny_zip, folder / "data/raw/tiny.zip")
    params = profile("smoke")
    params["dataset"]["path"], params["pose"]["estimator"], params["threads"] = "data/raw/tiny.zip", "truth", 1
    params["gan"]["full"]["options"]["iterations"] = 80
    params["gan"]["full"]["training"]["checkpoint_every"] = 2
    params["reid"]["ide"]["training"].update(iterations=80, batch_size=8, checkpoint_every=2)
    YAML().dump(params, folder / "params.yaml")
    for command in ("prepare", "estimate-poses", "pair"):
        assert start(folder, command).wait(TIMEOUT) == 0
    return folder


def start(folder, *words):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pipelines", *words]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_once_saved(folder, process, wait):
    """Kill the process `wait` seconds after it saved its state again; whether it had ended before."""
    begun, before = time.monotonic(), {p: p.stat().st_mtime_ns for p in folder.glob(".scratch/*/state.pt")}
    while process.poll() is None:
        now = {p: p.stat().st_mtime_ns for p in folder.glob(".scratch/*/state.pt") if p.exists()}
        if now and now != before:
            time.sleep(wait)
            break
        assert time.monotonic() - begun < TIMEOUT
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    return process.wait() == 0


@pytest.mark.parametrize(
    ("words", "result"),
    [
        (["train-gan", "full"], Path("data/gan/full/weights.pt")),
        (["train-reid", "ide", "--out", "data/reid/real-ide"], Path("data/reid/real-ide/network.pt")),
    ],
    ids=["train-gan", "train-reid"],
)
def test_killed_and_resumed_is_as_good_as_whole(project, words, result):
    assert start(project, *words).wait(TIMEOUT) == 0
    whole = (project / result).read_bytes()
    shutil.rmtree((project / result).parent)

    waits = [random.uniform(0, 0.5) for _ in range(3)]
    ended = [kill_once_saved(project, start(project, *words), wait) for wait in waits]
    assert not ended[0], f"the run should have been killed; waits {waits}"
    assert start(project, *words).wait(TIMEOUT) == 0
    assert (project / result).read_bytes() == whole, f"waits {waits}"
    assert not list((project / ".scratch").iterdir())


def test_a_killed_rendering_leaves_no_process_and_goes_on(tmp_path):
    def command(out):
        options = ["--identities", "6", "--seed", "3", "--processes", "2", "--no-backgrounds", "--out", str(out)]
        return [sys.executable, "-m", "pipelines", "render", *options]

    subprocess.run(command(tmp_path / "whole.zip"), cwd=ROOT, check=True, capture_output=True, timeout=300)
    running = subprocess.Popen(
        command(tmp_path / "killed.zip"), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    parts = tmp_path / "killed.zip.parts"
    wait_for(lambda: len(list(parts.glob("*.zip"))) >= 1)
    workers = [int(pid) for pid in Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()]
    assert len(workers) >= 2
    running.kill()
    running.wait()
    wait_for(lambda: not any(alive(pid) for pid in workers))
    assert not (tmp_path / "killed.zip").exists()
    kept = list(parts.glob("*.zip"))
    assert 1 <= len(kept) < 7
    subprocess.run(command(tmp_path / "killed.zip"), cwd=ROOT, check=True, capture_output=True, timeout=300)
    assert (tmp_path / "killed.zip").read_bytes() == (tmp_path / "whole.zip").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed.zip", "whole.zip"]


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
