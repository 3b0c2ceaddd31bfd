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
from conftest import ROOT
from ruamel.yaml import YAML

TIMEOUT = 120  # seconds for the first sign of life


@pytest.fixture(scope="module")
def project(tmp_path_factory, tiny_zip):
    """Prepared data, and parameters whose training saves its state every other iteration."""
    folder = tmp_path_factory.mktemp("kill")
    (folder / "data/raw").mkdir(parents=True)
    shutil.copyfile(tiny_zip, folder / "data/raw/tiny.zip")
    params = YAML(typ="safe").load(ROOT / "profiles/smoke.yaml")
    params["dataset"]["path"], params["pose"]["estimator"], params["threads"] = "data/raw/tiny.zip", "truth", 1
    params["gan"]["full"]["training"].update(iterations=80, checkpoint_every=2)
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
        (["train-gan", "full"], Path("data/gan/full/generator.pt")),
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
