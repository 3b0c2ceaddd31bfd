"""A stage whose output another process is writing is refused, whatever the settings of either."""

import subprocess
import sys

import pytest
from commands import run
from conftest import ROOT

from pipelines import layout

SCORE = "data/scores/real-a1-ide-s0.json"
COMMANDS = {
    ("prepare",): layout.SAMPLES,
    ("estimate-poses",): layout.POSES,
    ("pair",): layout.PAIRS,
    ("evaluate", "ide", "--train", "data/samples", "--model", "data/reid/real-a1-ide-s0", "--out", SCORE): SCORE,
    ("score-gan", "full"): layout.gan_score("full"),
    ("score-noise", "full"): layout.gan_noise("full"),
    ("score-sources", "full"): layout.gan_sources("full"),
    ("score-features", "full"): layout.gan_features("full"),
}
HOLD = """
import sys
from pathlib import Path
from reid.common import atomic
with atomic.owning(Path(sys.argv[1])):
    print("owned", flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
@pytest.mark.parametrize("words", COMMANDS)
def test_an_output_that_another_process_writes_is_left_to_it(trained, words):
    out = trained / COMMANDS[words]
    before = {path: path.read_bytes() for path in out.parent.rglob("*") if path.is_file()}
    command = [sys.executable, "-c", HOLD, str(out)]
    with subprocess.Popen(command, cwd=ROOT, stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout.readline() == "owned\n"
        assert f"another process is at work in {COMMANDS[words]}.partial" in run(*words, fails=True)
        other.communicate("")
    assert {path: path.read_bytes() for path in out.parent.rglob("*") if path.is_file()} == before
