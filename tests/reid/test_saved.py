"""Tensors, JSON, and digests of files."""

import hashlib

import pytest
import torch

from reid.common.digests import digest
from reid.common.errors import InputError
from reid.common.saved import load_json, load_tensors, save_json, save_tensors


def test_what_is_saved_is_loaded(tmp_path):
    save_tensors({"weights": torch.arange(4), "iteration": 3}, tmp_path / "new/state.pt")
    loaded = load_tensors(tmp_path / "new/state.pt", "")
    assert loaded["weights"].tolist() == [0, 1, 2, 3]
    assert loaded["iteration"] == 3
    save_json({"a": [1]}, tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text() == '{\n  "a": [\n    1\n  ]\n}\n'
    assert load_json(tmp_path / "a.json", ("a",), "") == {"a": [1]}


def test_equal_tensors_give_equal_bytes_whatever_the_file_is_called(tmp_path):
    for name in ("a.pt", "another.pt"):
        save_tensors({"weights": torch.arange(4)}, tmp_path / name)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "another.pt").read_bytes()


@pytest.mark.parametrize("size", [0, 500])
def test_damaged_tensors_are_named(tmp_path, size):
    path = tmp_path / "network.pt"
    save_tensors({"weights": torch.arange(1000)}, path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match=r"network.pt is damaged \(.+\); make it again"):
        load_tensors(path, "make it again")


def test_a_flipped_bit_is_found(tmp_path):
    path = tmp_path / "network.pt"
    save_tensors({"weights": torch.zeros(1000)}, path)
    data = bytearray(path.read_bytes())
    data[data.index(bytes(3000)) + 1500] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"network.pt is damaged \(the checksum of .+ is wrong\); make it again"):
        load_tensors(path, "make it again")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "a pointer of Git LFS.*git lfs pull"),
        (b"\n<!DOCTYPE html><html></html>", "a web page"),
    ],
)
def test_what_is_downloaded_instead_is_named(tmp_path, content, said):
    (tmp_path / "network.pt").write_bytes(content)
    with pytest.raises(InputError, match=f"network.pt is {said}"):
        load_tensors(tmp_path / "network.pt", "")


@pytest.mark.parametrize("content", ["", "{", "3", "[" * 100_000, '{"b": 1}'])
def test_damaged_json_is_named(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(InputError, match=r"a.json is damaged \(.+\); make it again"):
        load_json(tmp_path / "a.json", ("a",), "make it again")


def test_digests_are_of_names_and_contents(tmp_path):
    folder = tmp_path / "folder"
    (folder / "inside").mkdir(parents=True)
    (folder / "inside/a").write_text("1")
    assert digest(folder / "inside/a") == hashlib.sha256(b"1").hexdigest()
    known = {digest(folder)}
    (folder / "inside/a").write_text("2")
    known.add(digest(folder))
    (folder / "inside/a").rename(folder / "inside/b")
    known.add(digest(folder))
    (folder / "b").write_text("")
    known.add(digest(folder))
    assert len(known) == 4
