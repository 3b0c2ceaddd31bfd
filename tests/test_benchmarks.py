"""Each benchmark runs, at its smallest size, and prints what it measured; how fast anything is, is not tested."""

import importlib
import math
import re
from pathlib import Path

import pytest

from benchmarks.compare import command

NAMES = sorted(path.stem for path in Path("benchmarks").glob("[!_]*.py") if path.stem != "compare")
SMALLEST = {  # options, and how many ratios, speeds or times are printed
    "busy_machine": ("--iterations 1 --batch 2 --most 1 --rounds 1", 4),
    "generator_parts": ("--batch 1 --pairs 2 --rounds 1 --threads 1", 4),
    "large_gallery": ("--queries 20 --gallery 1000 --junk 50 --distractors 500 --dimensions 16", 2),
    "methods": ("--profile smoke --iterations 1 --rounds 1", 1),
    "metric_learning": ("--images 400 --dimensions 32 --people 20 --rounds 1", 2),
    "precision": ("--width 0.03 --batch 1 --iterations 1 --rounds 1 --threads 1", 3),
    "ranking": ("--queries 20 --gallery 1000 --junk 50 --some 5 --rounds 1", 2),
    "reid_step": ("--batch 2 --rounds 1 --threads 1", 2),
    "reranking": ("--queries 80 --gallery 400 --junk 40", 4),
    "streets": ("--path TINY --identities 2 --processes 1", 1),
    "training_step": ("--width 0.03 --batch 1 --images 2 --rounds 1 --threads 1", 5),
}
MEASURED = re.compile(r"(\S+) (?:times as fast|(?:images )?a second|s\b(?!, ratio))|ratio (\S+)")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_runs_and_prints_what_it_measured(name, tiny_zip, capfd):
    options, count = SMALLEST[name]
    words = [str(tiny_zip) if word == "TINY" else word for word in options.split()]
    command(importlib.import_module(f"benchmarks.{name}").main).main(words, standalone_mode=False)
    measured = [float(first or second) for first, second in MEASURED.findall(capfd.readouterr().out)]
    assert len(measured) == count
    assert all(0 < value < math.inf for value in measured)


def test_the_readme_names_each():
    text = Path("benchmarks/README.md").read_text()
    assert sorted(re.findall(r"^    .*python -m benchmarks\.(\w+)", text, re.M)) == NAMES
