"""`threads` bounds every library's threads: those that are loaded, those that are loaded later, those of workers."""

import json
import os
import subprocess
import sys
import time
import zipfile

import pytest
import torch
from commands import run, write_params
from conftest import ROOT

from augment.poses.estimators import blazepose
from augment.streets import studio
from augment.streets.collection import plan
from pipelines import cores, runtime
from pipelines.__main__ import main
from reid.common.errors import InputError
from reid.common.workers import THREAD_VARIABLES, workers
from reid.files import weights

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


@pytest.mark.slow
def test_one_thread_is_one_thread_of_everything():
    found = pools(1)
    assert set(found.values()) == {1}
    for library in ("faiss", "numpy", "scipy", "torch"):
        assert any(library in name for name in found), f"{library} has a pool of threads"


@pytest.mark.slow
def test_three_threads_may_be_more_than_there_are_cores():
    found = pools(3)
    assert {found[name] for name in ("torch", "cv2", "arrow")} == {3}
    assert max(found.values()) == 3


def pools_of_a_worker():
    import cv2
    import torch
    from threadpoolctl import threadpool_info

    found = {"torch": torch.get_num_threads(), "cv2": cv2.getNumThreads()}
    return found | {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}


def threads_of_this_process():
    """Whoever started them: what the libraries say about themselves leaves some out."""
    return len(os.listdir("/proc/self/task"))


def started_by_rendering(part):
    before = threads_of_this_process()
    studio._job(7, plan(2, 7)[1][:1], part, ())
    return threads_of_this_process() - before


def started_by_pose_estimation(archive, image):
    before = threads_of_this_process()
    blazepose._start_worker(str(weights.locate("blazepose-full")), 1.3)
    blazepose._estimate_one((archive, image))
    return threads_of_this_process() - before


@pytest.mark.slow
def test_a_worker_has_one_thread_of_everything(monkeypatch):
    for variable in THREAD_VARIABLES:
        monkeypatch.setenv(variable, "3")
    with workers(1) as pool:
        found = pool.submit(pools_of_a_worker).result()
    assert set(found.values()) == {1}
    assert {os.environ[variable] for variable in THREAD_VARIABLES} == {"3"}


@pytest.mark.slow
def test_a_worker_that_is_killed_is_an_error_that_says_so():
    said = "a worker process ended before its work was done: it was killed, perhaps for want of memory"
    with pytest.raises(ChildProcessError, match=said), workers(1) as pool:
        pool.submit(os._exit, 1).result()


@pytest.mark.slow
def test_rendering_and_pose_estimation_start_no_threads(tmp_path, tiny_zip):
    image = next(name for name in zipfile.ZipFile(tiny_zip).namelist() if name.endswith(".jpg"))
    with workers(1) as pool:
        assert pool.submit(started_by_rendering, tmp_path / "part.zip").result() == 0
        assert pool.submit(started_by_pose_estimation, str(tiny_zip), image).result() == 0


def test_there_are_as_many_workers_as_threads(project, monkeypatch):
    asked = []

    class Asked(Exception):
        pass

    def ask(processes, *arguments):
        asked.append(processes)
        raise Asked

    write_params(lambda p: p.update(threads=3, pose={"estimator": "blazepose"}))
    run("prepare")
    monkeypatch.setattr(blazepose, "workers", ask)
    monkeypatch.setattr(studio, "workers", ask)
    for words in (["estimate-poses"], ["augment", "views", "--alpha", "2"]):
        with pytest.raises(Asked):
            main.main(words, standalone_mode=False)
    assert asked == [3, 3]


class FakeWatch:
    """Cores that other programs leave, as they are set."""

    cores = 2.0

    def left(self):
        return FakeWatch.cores


@pytest.fixture
def left(monkeypatch):
    """Sets how many cores other programs leave; at the end the threads follow nothing."""
    monkeypatch.setattr(runtime, "Watch", FakeWatch)
    yield lambda cores: setattr(FakeWatch, "cores", cores)
    runtime.bound_threads(1)


@pytest.mark.parametrize(("idle", "threads", "processes"), [(0.1, 1, 1), (1.3, 1, 1), (1.8, 2, 2), (60.2, 4, 60)])
def test_auto_takes_the_cores_that_are_left(left, idle, threads, processes):
    left(idle)
    runtime.bound_threads("auto")
    assert torch.get_num_threads() == threads
    assert runtime.describe(torch.device("cpu")) == f"CPU, {threads} threads"
    assert runtime.processes("auto") == processes
    runtime.bound_threads(1)
    assert torch.get_num_threads() == runtime.processes(1) == 1


def test_auto_follows_the_load(left, capfd):
    left(3.0)
    runtime.bound_threads("auto")
    followed = []
    for now in (2.7, 2.5, 2.1, 2.7, 2.9, 0.2):
        runtime._follow(now)
        followed.append(torch.get_num_threads())
    assert followed == [3, 2, 2, 2, 3, 1]
    assert runtime.describe(torch.device("cpu")) == "CPU, 1 to 3 threads"
    assert "CPU threads: 2 instead of 3, other programs left 2.5 cores" in capfd.readouterr().err
    runtime.bound_threads(1)
    assert runtime.describe(torch.device("cpu")) == "CPU, 1 threads"


def compute(seconds):
    """Keep this thread busy for so many seconds of its time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_auto_looks_again_while_it_computes(left, monkeypatch):
    monkeypatch.setattr(runtime, "FOLLOWS", 0.05)
    left(2.0)
    runtime.bound_threads("auto")
    left(1.0)
    compute(0.2)
    assert torch.get_num_threads() == 1
    left(2.0)
    runtime.bound_threads(1)
    compute(0.2)
    assert torch.get_num_threads() == 1


STAT = (
    "cpu  9 9 9 9 9 9 9 9\ncpu0 10 0 5 100 3 0 0 0 7 0\ncpu1 0 0 0 50 0 0 0 0 0 0\ncpu7 1 1 1 1 1 1 1 1 0 0\nintr\n",
    "cpu  9 9 9 9 9 9 9 9\ncpu0 20 0 5 120 13 0 0 0 7 0\ncpu1 9 0 1 80 0 0 0 0 0 0\ncpu7 1 1 1 9 1 1 1 1 0 0\nintr\n",
)


@pytest.mark.parametrize(
    ("quota", "expected"), [("max 100000\n", 1.75), ("150000 100000\n", 1.5), ("400000 100000\n", 1.75), ("", 1.75)]
)
def test_the_cores_left_are_those_that_were_idle_and_the_own(monkeypatch, tmp_path, quota, expected):
    """Core 0 worked 10 of 40 ticks and waited for disks in 10; core 1 worked 10 of 40; core 7 is not ours.

    Of the two seconds meanwhile this process computed for half of one.
    """
    stat, clock = iter(STAT), iter([100.0, 102.0])
    used = iter([os.times_result((1.0, 0.5, 9, 9, 0)), os.times_result((1.25, 0.75, 9, 9, 0))])
    read = cores.Path.read_text
    monkeypatch.setattr(cores.Path, "read_text", lambda path: next(stat) if path.name == "stat" else read(path))
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda process: {0, 1})
    monkeypatch.setattr(cores.os, "times", lambda: next(used))
    monkeypatch.setattr(cores.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(cores, "QUOTA", tmp_path / "cpu.max")
    if quota:
        cores.QUOTA.write_text(quota)
    assert cores.Watch().left() == pytest.approx(expected)


def test_a_gpu_that_torch_has_no_code_for(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda: "V100")
    for built, own, usable in (
        (["sm_75", "sm_80"], (7, 5), True),
        (["sm_75", "sm_80"], (8, 9), True),
        (["sm_75", "sm_80"], (7, 0), False),
        (["sm_75", "sm_86"], (8, 0), False),
        (["sm_75", "sm_86"], (9, 0), False),
        (["sm_75", "compute_86"], (9, 0), True),
        (["sm_90a", "sm_120"], (12, 0), True),
        (["gfx90a"], (9, 0), True),
    ):
        monkeypatch.setattr("torch.cuda.get_arch_list", lambda built=built: built)
        monkeypatch.setattr("torch.cuda.get_device_capability", lambda own=own: own)
        assert (runtime.gpu_fault() is None) == usable, (built, own)
        if not usable:
            said = rf"no code for the V100 of compute capability {own[0]}\.{own[1]}, only {', '.join(built)}"
            with pytest.raises(InputError, match=said):
                runtime.set_up("cuda", 1)
            assert runtime.set_up("auto", 1).type == "cpu"
