"""The commands `export` and `check`, as a user gives them."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from commands import run
from conftest import ROOT
from export_files import MADE, TRAIN, first, write_augmented

from reid.datasets import DATASETS


@pytest.fixture
def project(tmp_path, monkeypatch, tiny_zip):
    """A project after `augment`, without params.yaml."""
    monkeypatch.chdir(tmp_path)
    write_augmented(tiny_zip, Path())
    return tmp_path


EXPORT = ("export", "full", "--alpha", 2, "--out")


@pytest.mark.parametrize("out", ["R", "R.zip"])
@pytest.mark.parametrize("options", [(), ("--layout", "flat"), ("--shards", "--parquet")])
def test_what_is_exported_is_checked_and_read(project, out, options):
    output = run(*EXPORT, out, *options)
    generated = len(list(zipfile.ZipFile("data/augmented/full-a2/images.zip").namelist()))
    assert f"{generated:,} of them generated: {out}" in output
    output = run("check", out)
    assert f"train: {2 * generated} images, 4 identities, {generated} named like generated images" in output
    assert output.endswith(f"{out}: nothing fatal, 0 warnings\n")
    assert len(DATASETS["market1501"](out).tables["train"]) == 2 * generated


def test_a_zip_unpacks_to_what_the_folder_is(project):
    run(*EXPORT, "R")
    run(*EXPORT, "R.zip")
    shutil.unpack_archive("R.zip", "unpacked")
    files = {path.relative_to("R"): path.read_bytes() for path in Path("R").rglob("*") if path.is_file()}
    again = {path.relative_to("unpacked"): path.read_bytes() for path in Path("unpacked").rglob("*") if path.is_file()}
    assert files == again


@pytest.mark.parametrize("out", ["R", "R.zip"])
def test_what_is_there_is_kept(project, out):
    run(*EXPORT, out)
    assert f"{out} exists; remove it, or choose another --out" in run(*EXPORT, out, fails=True)
    run("check", out)


def test_a_set_that_was_not_made_or_not_by_this_version(project):
    output = run("export", "baseline", "--alpha", 2, "--out", "R", fails=True)
    assert "data/augmented/baseline-a2 does not exist; augmented sets that there are: full-a2; `dvc repro`" in output
    Path("data/augmented/real-a1").mkdir()
    assert "real is the original data set" in run("export", "real", "--alpha", 1, "--out", "R", fails=True)
    output = run("export", "baseline", "--alpha", 2, "--out", "R", fails=True)
    assert "augmented sets that there are: full-a2;" in output
    file = Path("data/augmented/full-a2/provenance.json")
    file.write_text(json.dumps({"row": "full-a2"}))
    assert "provenance.json is damaged (it has no alpha); run" in run(*EXPORT, "R", fails=True)
    file.unlink()
    assert "provenance.json does not exist, which says how the images were made: run `dvc repro`" in run(
        *EXPORT, "R", fails=True
    )
    assert not Path("R").exists()


def test_a_folder_that_others_would_read_labels_from_is_refused(project):
    output = run(*EXPORT, "exp2_c1/R", fails=True)
    assert "exp2_c1/R has 2_c1 in it, which torchreid and others would take for the identity and camera" in output
    assert not Path("exp2_c1").exists()
    run(*EXPORT, "exp2_c1/R.zip")


def test_check_says_all_that_is_wrong_a_line_each(project):
    run(*EXPORT, "R")
    broken, gone = (first(Path("R"), TRAIN, f"{identity}*.jpg") for identity in ("0001", "0002"))
    broken.write_bytes(b"")
    gone.unlink()
    (gone.parent / "notes.txt").write_bytes(b"x")
    output = run("check", "R", fails=True)
    lines = output.splitlines()
    for line in (
        f"FATAL: {TRAIN}/{broken.name}: unreadable image (the file is empty (0 bytes))",
        f"FATAL: {TRAIN}/{gone.name}: in the manifest, but the file is missing",
        f"warning: {TRAIN}/notes.txt: not an image, left out",
        "Error: R: 3 fatal, 1 warnings",
    ):
        assert line in lines
    assert len([line for line in lines if line.startswith(("FATAL", "warning"))]) == 4


def test_check_of_nothing():
    assert "nowhere does not exist: expected a folder or a zip of images" in run("check", "nowhere", fails=True)


def test_neither_command_takes_the_time_to_import_torch(project):
    for words in ((*EXPORT, "R"), ("check", "R")):
        code = (
            "import sys; from pipelines.__main__ import main; "
            f"main({[str(word) for word in words]!r}, standalone_mode=False); assert 'torch' not in sys.modules"
        )
        environment = {"PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)


def test_the_manifest_has_what_augment_wrote(project):
    run(*EXPORT, "R")
    assert f"| seed | {MADE['seed']} |" in Path("R/DATASHEET.md").read_text()
