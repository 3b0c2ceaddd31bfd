"""`threads` bounds every library's threads: those that are loaded, and those that are loaded later."""

import json
import os
import subprocess
import sys

from conftest import ROOT

SCRIPT = """
import json, sys
from pipelines.runtime import set_up

set_up("cpu", int(sys.argv[1]))
import cv2, faiss, pyarrow, scipy.linalg, sklearn.manifold, torch
from threadpoolctl import threadpool_info

pools = {"torch": torch.get_num_threads(), "cv2": cv2.getNumThreads(), "arrow": pyarrow.cpu_count()}
pools |= {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
print(json.dumps(pools))
"""


def pools(threads):
    """Threads of each library, by its name or file, in a new process."""
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    command = [sys.executable, "-c", SCRIPT, str(threads)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_one_thread_is_one_thread_of_everything():
    found = pools(1)
    assert set(found.values()) == {1}
    for library in ("faiss", "numpy", "scipy", "torch"):
        assert any(library in name for name in found), f"{library} has a pool of threads"


def test_three_threads_may_be_more_than_there_are_cores():
    found = pools(3)
    assert {found[name] for name in ("torch", "cv2", "arrow")} == {3}
    assert max(found.values()) == 3
