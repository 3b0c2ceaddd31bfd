"""What the README says exists, and its Python runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.__main__ import main

README = Path("README.md").read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.S)


def test_links_lead_somewhere():
    links = re.findall(r"\]\(([\w./:-]+)\)", README)
    assert links
    assert [link for link in links if not link.startswith("http") and not Path(link).exists()] == []


def test_make_targets_exist():
    targets = set(re.findall(r"^\.PHONY: (.*)$", Path("Makefile").read_text(), re.M)[0].split())
    named = set(re.findall(r"\bmake ([a-z]+)\b", " ".join(re.findall(r"^    .*$|`[^`]+`", README, re.M))))
    assert named
    assert named <= targets


def test_commands_and_options_exist():
    commands = re.findall(r"python -m pipelines ([a-z-]+)([^`\n]*)", README)
    named = [(name, options) for name, options in commands if not name.startswith("--")]
    assert named
    for name, options in named:
        known = {option for parameter in main.commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z]+", options)) <= known


@pytest.mark.slow
@pytest.mark.parametrize("snippet", SNIPPETS)
def test_python_prints_what_it_says(snippet):
    done = subprocess.run([sys.executable, "-c", snippet], capture_output=True, text=True, check=True)
    assert done.stdout.split() == re.findall(r"  # (.*)", snippet)[0].split()
