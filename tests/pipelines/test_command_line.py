"""The help of `python -m pipelines`."""

import re
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner
from commands import run
from ruamel.yaml import YAML

from pipelines.__main__ import main


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from pipelines.__main__ import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert {"click", "pipelines.command_line.stages"} <= loaded
    assert not loaded & {"torch", "pandas", "numpy", "cv2", "PIL", "pydantic", "ruamel.yaml"}


def test_help_tells_stages_from_other_commands():
    _, stages, others = re.split(r"^(?:Stages|Other commands):\n", run("--help"), flags=re.MULTILINE)
    commands = [stage["cmd"].split()[3] for stage in YAML(typ="safe").load(Path("dvc.yaml"))["stages"].values()]
    assert names(stages) == list(dict.fromkeys(commands)), "in the order of dvc.yaml"
    assert sorted(names(stages) + names(others)) == sorted(main.commands)
    assert "..." not in stages, "no sentence is cut off"


def names(section):
    return re.findall(r"^  ([a-z-]+) ", section, re.MULTILINE)


def test_names_are_shown_and_checked():
    assert "--layout [nested|flat]" in run("export", "--help")
    done = CliRunner().invoke(main, ["export", "full", "--alpha", "2", "--out", "R", "--layout", "deep"])
    assert "'deep' is not one of 'nested', 'flat'" in done.output
