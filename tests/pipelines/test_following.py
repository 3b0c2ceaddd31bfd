"""A stage ends when the `dvc` that runs it does."""

import os
import select
import subprocess
import sys

import pytest
from conftest import ROOT

STAGE = """
import os, time
from pipelines.following import follow_dvc
follow_dvc()
print(os.getpid(), flush=True)
time.sleep(60)
"""
# Stands for `dvc`, which runs a stage by a shell.
DVC = """
import os, subprocess, sys
command = f'"{sys.executable}" -c "$0"; true'
subprocess.run(["sh", "-c", command, sys.argv[1]], env=os.environ | eval(sys.argv[2]))
"""


def ends_with(variables):
    """Whether the stage ends within some seconds of the one that started it, which is killed."""
    environment = {key: value for key, value in os.environ.items() if key != "DVC_STAGE"} | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", DVC, STAGE, repr(variables)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as dvc:
        pid = int(dvc.stdout.readline())
        end = os.pidfd_open(pid)
        dvc.kill()
        ended = bool(select.select([end], [], [], 10 if variables else 1)[0])
        if not ended:
            os.kill(pid, 9)
        os.close(end)
    return ended


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="it follows on Linux alone")
def test_a_stage_ends_with_the_dvc_that_runs_it():
    assert ends_with({"DVC_STAGE": "train_gan@full"})
    assert not ends_with({}), "without a dvc it works on"
