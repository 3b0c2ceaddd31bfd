"""Other projects' readers, as their projects publish them, find every image of an exported set with its label."""

import json
import os
import shutil
import subprocess
import sys

import pandas as pd
import pytest
from conftest import ROOT
from export_files import MADE, augmented_tables
from readers import KNOWN, READERS

from reid.export.members import exported
from reid.files.images import write_folder
from reid.files.samples import JUNK, class_labels

FOLDER = ROOT / ".venv/readers"  # where `make test` installs them


@pytest.fixture(scope="module")
def sets(tmp_path_factory, tiny_zip):
    """An export with shards and images in Parquet files, and one with neither."""
    root = tmp_path_factory.mktemp("readers")
    tables = augmented_tables(tiny_zip, root / "images.zip")
    write_folder(
        root / "all", exported(tables, MADE | {"published": "2026-12-01"}, with_shards=True, with_parquet=True)
    )
    write_folder(root / "folders", exported(tables, MADE))
    return root


def read(name, folder, cache):
    """What a reader finds, in a process that has the readers' packages too and no network."""
    assert FOLDER.is_dir(), f"{FOLDER} is missing: make .venv/readers/ready"
    offline = {
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HOME": str(cache),
        "NO_ALBUMENTATIONS_UPDATE": "1",
    }
    environment = os.environ | offline | {"PYTHONPATH": str(FOLDER), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, str(ROOT / "tests/readers.py"), name, str(folder)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, cwd=cache)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout[done.stdout.index('{"') :])  # some print before


def expected(folder, name):
    entries = pd.read_parquet(folder / "manifest.parquet")
    columns = ["identity", "camera", "sha256"]
    if name in ("torchreid", "oml"):
        entries = entries[entries["identity"] != JUNK]
    if name == "torchreid":
        train = entries["split"] == "train"
        entries.loc[train, "identity"] = class_labels(entries.loc[train, "identity"].to_numpy())[0]
    if name not in ("torchreid", "datumaro", "oml"):
        columns += KNOWN
    return {
        split: sorted(
            ([None if pd.isna(value) else value for value in row] for row in table[columns].astype(object).to_numpy()),
            key=repr,
        )
        for split, table in entries.groupby("split")
    }


CASES = [(name, form) for name in READERS for form in ("all", "folders") if form == "all" or name == "datasets"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "form"), CASES)
def test_a_reader_finds_all_images_people_and_cameras(sets, tmp_path, name, form):
    found, wanted = read(name, sets / form, tmp_path), expected(sets / form, name)
    for column, what in enumerate(("people", "cameras")):
        for split, rows in wanted.items():
            assert len(found[split]) == len(rows), f"{split}: images"
            assert len({row[column] for row in found[split]}) == len({row[column] for row in rows}), f"{split}: {what}"
    assert found == wanted


@pytest.mark.slow
def test_without_numbers_in_the_names_datumaro_keeps_one_generated_image(sets, tmp_path):
    shutil.copytree(sets / "folders/market1501", tmp_path / "market1501")
    train = tmp_path / "market1501/Market-1501-v15.09.15/bounding_box_train"
    for path in train.glob("*_g01_*.jpg"):
        path.rename(path.with_name(f"{path.stem.rpartition('_')[0]}.jpg"))
    assert len(read("datumaro", tmp_path, tmp_path)["train"]) == len(list(train.iterdir())) / 2 + 1
