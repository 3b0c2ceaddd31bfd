"""The help of `python -m pipelines`."""

import os
import re
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from click.testing import CliRunner
from commands import run
from conftest import ROOT
from ruamel.yaml import YAML

from pipelines.__main__ import main
from pipelines.console import plain


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from pipelines.__main__ import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert {"click", "pipelines.command_line.stages"} <= loaded
    assert not loaded & {"torch", "pandas", "numpy", "cv2", "PIL", "pydantic", "ruamel.yaml"}


def test_help_tells_stages_from_other_commands():
    headings = r"^(?:Stages|To look and measure|Other commands):\n"
    _, stages, measuring, others = re.split(headings, run("--help"), flags=re.MULTILINE)
    commands = [stage["cmd"].split()[3] for stage in YAML(typ="safe").load(Path("dvc.yaml"))["stages"].values()]
    assert names(stages) == list(dict.fromkeys(commands)), "in the order of dvc.yaml"
    assert sorted(names(stages) + names(measuring) + names(others)) == sorted(main.commands)
    assert "..." not in stages, "no sentence is cut off"


def names(section):
    return re.findall(r"^  ([a-z-]+) ", section, re.MULTILINE)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried 9 bytes"
        ),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB"),
    ],
)
def test_a_lack_of_memory_is_said(project, monkeypatch, error):
    monkeypatch.setattr("pipelines.stages.pair.run", Mock(side_effect=error))
    said = run("pair", fails=True)
    assert "there is not enough memory (" in said
    assert "set a smaller batch_size, image_size or part of the training set in params.yaml" in said


def test_other_errors_of_torch_keep_their_traceback(project, monkeypatch):
    monkeypatch.setattr("pipelines.stages.pair.run", Mock(side_effect=RuntimeError("shapes differ")))
    assert isinstance(CliRunner().invoke(main, ["pair"]).exception, RuntimeError)


def test_names_of_files_do_not_steer_the_terminal():
    assert plain("query/\x1b[2Jé.jpg\n") == "query/\\x1b[2Jé.jpg\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_output_that_a_terminal_cannot_show_is_no_error(encoding, tmp_path):
    command = [sys.executable, "-P", "-m", "pipelines", "check", "☃"]
    environment = {**os.environ, "PYTHONIOENCODING": f"{encoding}:strict", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, env=environment, check=False)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


def test_names_are_shown_and_checked():
    assert "--layout [nested|flat]" in run("export", "--help")
    done = CliRunner().invoke(main, ["export", "full", "--alpha", "2", "--out", "R", "--layout", "deep"])
    assert "'deep' is not one of 'nested', 'flat'" in done.output
