import subprocess
import sys

import pytest
import torch

from reid.common.checkpoints import Scratch, forget_results
from reid.common.errors import InputError


def test_state_is_found_again_by_what_the_run_is(tmp_path):
    scratch = Scratch("run", {"lr": 0.1}, tmp_path)
    assert scratch.load() is None
    scratch.save({"iteration": 3, "weights": torch.arange(4)})
    assert Scratch("run", {"lr": 0.1}, tmp_path).load()["iteration"] == 3
    other = Scratch("run", {"lr": 0.2}, tmp_path)
    assert other.load() is None
    other.remove()
    assert scratch.load()["weights"].tolist() == [0, 1, 2, 3], "another run's end leaves this one's state alone"


def test_a_half_written_state_is_not_loaded(tmp_path):
    scratch = Scratch("run", {}, tmp_path)
    scratch.save({"iteration": 1})
    left = scratch.folder / "state.pt.partial"
    left.mkdir()
    (left / "lock").touch()
    (left / "whole.pt").write_bytes(b"killed while writing")
    assert scratch.load() == {"iteration": 1}
    scratch.save({"iteration": 2})
    assert scratch.load() == {"iteration": 2}
    assert sorted(path.name for path in scratch.folder.iterdir()) == ["lock", "state.pt"]


def test_a_damaged_state_says_what_to_remove(tmp_path):
    scratch = Scratch("run", {}, tmp_path)
    scratch.save({"weights": torch.arange(1000)})
    path = scratch.folder / "state.pt"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match=r"state.pt is damaged .* remove .*run-.* to start over"):
        scratch.load()


def test_a_kill_while_removing_leaves_nothing_to_resume_from(tmp_path, monkeypatch):
    scratch = Scratch("run", {}, tmp_path)
    scratch.save({"iteration": 9})

    def killed(path, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("reid.common.atomic.shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        scratch.remove()
    assert Scratch("run", {}, tmp_path).load() is None


def test_a_finished_run_keeps_its_result_until_it_is_forgotten(tmp_path):
    scratch = Scratch("run", {}, tmp_path / "scratch")
    scratch.save({"iteration": 9})
    (tmp_path / "result").mkdir()
    (tmp_path / "result/config.json").write_text("{}")
    scratch.finish(tmp_path / "result")
    assert sorted(path.name for path in scratch.folder.iterdir()) == ["lock", "result"]
    scratch = Scratch("run", {}, tmp_path / "scratch")
    assert (scratch.result / "config.json").read_text() == "{}"
    at_work = Scratch("other", {}, tmp_path / "scratch")
    at_work.save({"iteration": 1})
    scratch.lock.release(force=True)
    forget_results(["other", "another"], tmp_path / "scratch")
    assert scratch.result.exists(), "of another name"
    forget_results(["other", "run"], tmp_path / "scratch")
    assert list((tmp_path / "scratch").iterdir()) == [at_work.folder]


def test_a_run_that_is_done_leaves_nothing(tmp_path):
    scratch = Scratch("run", {}, tmp_path)
    scratch.save({"iteration": 9})
    scratch.remove()
    assert not list(tmp_path.iterdir())
    assert Scratch("run", {}, tmp_path).load() is None


def test_two_processes_do_not_work_on_one_run(tmp_path):
    code = """
import sys
from pathlib import Path
from reid.common.checkpoints import Scratch
scratch = Scratch("run", {}, Path(sys.argv[1]))
print("claimed", flush=True)
sys.stdin.read()
"""
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == "claimed\n"
    with pytest.raises(InputError, match="another process is at work in .*run-.*; wait until it ends"):
        Scratch("run", {}, tmp_path)
    other.kill()
    other.communicate()
    Scratch("run", {}, tmp_path)
