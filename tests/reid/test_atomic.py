"""Files and folders that are there only when they are whole; tests/reid/kill_everywhere.py is the other half."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from reid.common import atomic
from reid.common.errors import InputError


def there(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_what_is_written_takes_the_place_of_what_was_there(tmp_path):
    path = tmp_path / "new/folder/scores.json"
    atomic.write(path, "1")
    atomic.write(path, "é\n")
    assert path.read_bytes() == "é\n".encode()
    atomic.write(path, b"\xff")
    assert path.read_bytes() == b"\xff"
    assert there(tmp_path) == ["new", "new/folder", "new/folder/scores.json"]


def test_a_file_is_written_under_its_suffix(tmp_path):
    """Pillow and matplotlib choose the format by it."""
    with atomic.replacing(tmp_path / "a.b.png") as new:
        assert new.suffix == ".png"
        new.write_bytes(b"")


def test_a_folder_takes_the_place_of_nothing_or_of_an_empty_one(tmp_path):
    for name in ("a", "b"):
        with atomic.replacing(tmp_path / name) as new:
            new.mkdir()
            (new / "file").write_text("1")
            assert not (tmp_path / "a/file").exists() or name == "b"
            (tmp_path / "b").mkdir(exist_ok=True)
    assert there(tmp_path) == ["a", "a/file", "b", "b/file"]
    with pytest.raises(OSError, match="not empty"), atomic.replacing(tmp_path / "a") as new:
        new.mkdir()
    assert there(tmp_path) == ["a", "a/file", "b", "b/file"]


def fill(path, *names):
    with atomic.replacing_folder(path, ("config", "old", "new")) as new:
        for name in names:
            (new / name).write_text("1")


def test_a_folder_takes_the_place_of_all_of_the_old_one(tmp_path):
    fill(tmp_path / "a", "config", "old")
    fill(tmp_path / "a", "config", "new")
    assert there(tmp_path) == ["a", "a/config", "a/new"]
    with pytest.raises(FileNotFoundError):
        fill(tmp_path / "a", "config", "there is no such folder/half")
    assert there(tmp_path) == ["a", "a/config", "a/new"]


def test_what_is_in_the_way_is_not_deleted(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file is in the way: it is no folder"):
        fill(tmp_path / "file", "config")
    fill(tmp_path / "mine", "config")
    (tmp_path / "mine/thesis").touch()
    (tmp_path / "mine/.DS_Store").touch()
    with pytest.raises(InputError, match="mine would be replaced, and has thesis in it, which would be lost"):
        fill(tmp_path / "mine", "config")
    assert there(tmp_path) == ["file", "mine", "mine/.DS_Store", "mine/config", "mine/thesis"]


def test_two_do_not_write_a_folder_at_once(tmp_path):
    code = "import pathlib, sys\nfrom reid.common import atomic\n"
    code += "with atomic.replacing_folder(pathlib.Path(sys.argv[1]), ('c',)): pass"
    with atomic.replacing_folder(tmp_path / "a", ("c",)) as new:
        other = subprocess.run([sys.executable, "-c", code, tmp_path / "a"], cwd=ROOT, capture_output=True, text=True)
        (new / "c").touch()
    assert "another process is at work in" in other.stderr
    assert there(tmp_path) == ["a", "a/c"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_what_was_there(tmp_path, error):
    atomic.write(tmp_path / "file", "old")

    def interrupted(path):
        with atomic.replacing(path) as new:
            if path.name == "folder":
                new.mkdir()
                new /= "inside"
            new.write_text("half")
            raise error

    for name in ("file", "other", "folder"):
        with pytest.raises(error):
            interrupted(tmp_path / name)
    assert there(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.parametrize("what", ["file", "folder", "remove", "replace"])
def test_a_kill_at_any_moment_leaves_the_old_or_the_new(tmp_path, what):
    script = Path(__file__).with_name("kill_everywhere.py")
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    run = subprocess.run([sys.executable, script, what, tmp_path], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 7, "killed at too few moments"


def strangers_file(partial):
    partial.write_text("mine")


def strangers_link(partial):
    partial.symlink_to(partial.parent / "mine", target_is_directory=True)


def strangers_folder(partial):
    partial.mkdir()
    (partial / "whole.zip").write_text("mine")


def with_more_in_it(partial):
    partial.mkdir()
    (partial / "lock").touch()
    (partial / "mine").write_text("mine")


def with_a_lock_that_says_something(partial):
    partial.mkdir()
    (partial / "lock").write_text("mine")


@pytest.mark.parametrize(
    "make", [strangers_file, strangers_link, strangers_folder, with_more_in_it, with_a_lock_that_says_something]
)
def test_what_is_not_ours_is_never_touched(tmp_path, make):
    path, partial = tmp_path / "set.zip", tmp_path / "set.zip.partial"
    path.mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/lock").touch()
    make(partial)
    before = {name: (tmp_path / name).lstat().st_mtime_ns for name in there(tmp_path)}
    for work in (lambda: atomic.write(path, "1"), lambda: atomic.remove(path)):
        with pytest.raises(InputError, match=r"set.zip.partial is in the way.* remove it, or choose another name for"):
            work()
    assert {name: (tmp_path / name).lstat().st_mtime_ns for name in there(tmp_path)} == before


def test_an_empty_folder_in_the_way_is_nothing(tmp_path):
    (tmp_path / "a.partial").mkdir()
    atomic.write(tmp_path / "a", "1")
    assert there(tmp_path) == ["a"]


def test_two_processes_do_not_write_one_file(tmp_path):
    path = tmp_path / "a.txt"
    code = f"from pathlib import Path; from reid.common import atomic; atomic.write(Path({str(path)!r}), 'other')"
    with atomic.replacing(path) as new:
        new.write_text("1")
        other = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
        assert "InputError: another process is at work in" in other.stderr
    assert path.read_text() == "1"
    assert there(tmp_path) == ["a.txt"]


def test_a_file_that_is_owned_is_written_by_its_owner_alone(tmp_path):
    path = tmp_path / "scores.json"
    code = f"from pathlib import Path; from reid.common import atomic; atomic.write(Path({str(path)!r}), 'other')"
    with atomic.owning(path):
        for text in ("1", "2"):  # writing it ends no ownership
            atomic.write(path, text)
            other = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
            assert "InputError: another process is at work in" in other.stderr
            assert path.read_text() == text
    assert there(tmp_path) == ["scores.json"]
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    assert path.read_text() == "other"


def test_only_an_empty_folder_is_nothing_that_would_be_lost(tmp_path):
    atomic.refuse_existing(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    atomic.refuse_existing(tmp_path / "empty")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "link", tmp_path / "file"):
        with pytest.raises(InputError, match=f"{path} exists; remove it, or choose another --out"):
            atomic.refuse_existing(path)
