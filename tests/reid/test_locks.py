import errno
import fcntl
import signal
import subprocess
import sys

import pytest
from conftest import ROOT

from reid.common.errors import InputError
from reid.common.locks import claim

CLAIM = """
import os, sys
from pathlib import Path
from reid.common.locks import claim
lock = claim(Path(sys.argv[1]))
"""


def start(code, folder):
    """A process that runs code until it has printed a line, and its line."""
    command = [sys.executable, "-c", code, str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_folder_is_another_processs_until_that_ends(tmp_path, end):
    other, said = start(CLAIM + "print('claimed', flush=True)\nsys.stdin.read()", tmp_path / "folder")
    assert said == "claimed"
    with pytest.raises(InputError, match="another process is at work in .*folder; wait until it ends, or stop it"):
        claim(tmp_path / "folder")
    other.send_signal(end)
    other.communicate()
    claim(tmp_path / "folder")


def test_a_child_that_lives_on_does_not_keep_the_folder(tmp_path):
    code = CLAIM + "if os.fork() == 0:\n    print('child', flush=True)\nsys.stdin.read()"
    other, said = start(code, tmp_path / "folder")
    assert said == "child"
    other.kill()
    other.wait()
    claim(tmp_path / "folder")
    other.communicate()  # ends the child


def test_a_process_can_claim_what_it_has(tmp_path):
    first, second = claim(tmp_path), claim(tmp_path)
    del first
    command = [sys.executable, "-c", CLAIM, str(tmp_path)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode != 0
    second.release(force=True)
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0


def test_what_nothing_refers_to_is_free_again(tmp_path):
    claim(tmp_path)
    subprocess.run([sys.executable, "-c", CLAIM, str(tmp_path)], cwd=ROOT, check=True)


def test_another_process_is_blamed_for_its_own_deeds_only(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="file"):
        claim(tmp_path / "file/folder")
    (tmp_path / "odd/lock").mkdir(parents=True)
    with pytest.raises(IsADirectoryError, match="odd/lock"):
        claim(tmp_path / "odd")


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_says_so(tmp_path, monkeypatch, number):
    def without_locks(descriptor, operation):
        raise OSError(number, "said by the file system")

    monkeypatch.setattr(fcntl, "flock", without_locks)
    with pytest.raises(InputError, match="folder cannot be locked .said by the file system.; work on a disk"):
        claim(tmp_path / "folder")
