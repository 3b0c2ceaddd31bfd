"""An exported set in other projects: torchreid as it is published, and a second DVC repository."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pandas as pd
import pytest
from conftest import STREETS
from export_files import MADE, augmented_tables

from reid.datasets import DATASETS
from reid.export.checks import check
from reid.export.members import exported
from reid.files.images import write_folder, write_zip
from reid.files.samples import DISTRACTOR

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its Cython part is not in the wheel
    import torchreid


@pytest.fixture
def tables(tiny_zip, tmp_path):
    return augmented_tables(tiny_zip, tmp_path / "images.zip")


def manager(root):
    return torchreid.data.ImageDataManager(
        root=str(root), sources="market1501", targets="market1501", height=64, width=32, batch_size_train=16,
        batch_size_test=50, workers=0, use_gpu=False, transforms=[],
    )  # fmt: skip


def test_torchreid_trains_an_epoch_and_measures_from_its_registry(tables, tmp_path):
    # Its CMC has 50 ranks: the few people need some more distractors.
    gallery = DATASETS["market1501"](STREETS).tables["gallery"]
    others = gallery[(gallery["identity"] == DISTRACTOR) & ~gallery["image"].isin(tables["gallery"]["image"])]
    tables["gallery"] = pd.concat([tables["gallery"], others], ignore_index=True)
    write_folder(tmp_path / "R", exported(tables, MADE))
    data = manager(tmp_path / "R")
    real = tables["train"][tables["train"]["origin"] == "real"]
    assert data.num_train_pids == real["identity"].nunique() == 4, "a generated image has its source's class"
    train = data.train_loader.dataset.train
    assert len(train) == 2 * len(real)
    classes = {}
    for path, label, camera, _ in train:
        name = Path(path).name
        classes.setdefault(label, set()).add(int(name[:4]))
        assert camera == int(name[6]) - 1
    assert sorted(map(sorted, classes.values())) == [[1], [2], [3], [4]]

    model = torchreid.models.build_model(
        "osnet_x0_25", num_classes=data.num_train_pids, loss="softmax", pretrained=False, use_gpu=False
    )
    optimizer = torchreid.optim.build_optimizer(model, optim="adam", lr=0.0003)
    scheduler = torchreid.optim.build_lr_scheduler(optimizer, lr_scheduler="single_step", stepsize=1)
    before = model.classifier.weight.detach().clone()
    engine = torchreid.engine.ImageSoftmaxEngine(data, model, optimizer, scheduler=scheduler, use_gpu=False)
    engine.run(save_dir=str(tmp_path / "log"), max_epoch=1, print_freq=100)
    assert (tmp_path / "log/model/model.pth.tar-1").exists()
    assert (model.classifier.weight != before).any()


def test_torchreid_reads_the_flat_layout_too(tables, tmp_path):
    write_folder(tmp_path / "R", exported(tables, MADE, "flat"))
    with pytest.warns(UserWarning, match="The current data structure is deprecated"):
        data = manager(tmp_path / "R")
    assert (data.num_train_pids, len(data.train_loader.dataset.train)) == (4, len(tables["train"]))


def test_what_check_warns_of_stops_torchreid(tables, tmp_path):
    write_folder(tmp_path / "R", exported(tables, MADE))
    image = sorted((tmp_path / "R").rglob("*_g01_*.jpg"))[0]
    image.rename(image.with_name("1502" + image.name[4:]))
    assert any("stop with an AssertionError" in finding.what for finding in check(tmp_path / "R")[1])
    with pytest.raises(AssertionError):
        manager(tmp_path / "R")


def test_what_check_calls_fatal_misleads_torchreid(tables, tmp_path):
    write_folder(tmp_path / "R", exported(tables, MADE))
    (tmp_path / "R").rename(tmp_path / "exp2_c1")
    assert any(f.fatal and f.what == "folder is named like an image" for f in check(tmp_path / "exp2_c1")[1])
    assert manager(tmp_path / "exp2_c1").num_train_pids == 1, "it takes everybody for person 2"


def dvc(repository, *words):
    """Run DVC in a repository, with its own settings and caches only, and without sending statistics."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DVC_NO_ANALYTICS": "1",
        "HOME": str(repository.parent),
        "DVC_GLOBAL_CONFIG_DIR": str(repository.parent / "global"),
        "DVC_SITE_CACHE_DIR": str(repository.parent / "site"),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    done = subprocess.run(words, cwd=repository, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def commit(repository):
    author = ("-c", "user.name=A", "-c", "user.email=a@b.c")
    dvc(repository, "git", "add", "--all")
    dvc(repository, "git", *author, "commit", "--quiet", "--message", "data")


def repository(path):
    path.mkdir()
    dvc(path, "git", "init", "--quiet")
    dvc(path, "dvc", "init", "--quiet")
    return path


@pytest.mark.slow
def test_another_dvc_repository_gets_and_imports_the_zip(tables, tmp_path):
    write_zip(tmp_path / "made.zip", exported(tables, MADE))
    ours = repository(tmp_path / "ours")
    stage = "stages:\n  export:\n    cmd: mkdir -p data/export && cp ../made.zip data/export/full-a2.zip\n"
    artifact = "artifacts:\n  augmented: {path: data/export, type: dataset}\n"
    (ours / "data").mkdir()
    (ours / "data/.gitignore").write_text("/export\n")
    (ours / "dvc.yaml").write_text(f"{stage}    outs: [data/export/full-a2.zip]\n{artifact}")
    dvc(ours, "dvc", "remote", "add", "--default", "storage", str(tmp_path / "storage"))
    dvc(ours, "dvc", "repro", "--quiet")
    dvc(ours, "dvc", "push", "--quiet")
    commit(ours)
    dvc(ours, "git", "-c", "user.name=A", "-c", "user.email=a@b.c", "tag", "--message", "first", "augmented@v1.0.0")

    clone = tmp_path / "clone"  # as others have it: without data, without a cache
    dvc(ours, "git", "clone", "--quiet", str(ours), str(clone))
    theirs = repository(tmp_path / "theirs")
    dvc(theirs, "dvc", "get", str(clone), "data/export/full-a2.zip", "--out", "got.zip")
    dvc(theirs, "dvc", "import", str(clone), "data/export/full-a2.zip", "--out", "imported.zip")
    dvc(theirs, "dvc", "get", str(clone), "data/export", "--out", "all")
    dvc(theirs, "dvc", "artifacts", "get", str(clone), "augmented", "--out", "artifact")
    made = (tmp_path / "made.zip").read_bytes()
    for name in ("got.zip", "imported.zip", "all/full-a2.zip", "artifact/full-a2.zip"):
        assert (theirs / name).read_bytes() == made
    assert check(theirs / "imported.zip")[1] == []
    assert "rev_lock" in (theirs / "imported.zip.dvc").read_text(), "it says which commit it is of"
    assert not (theirs / "got.zip.dvc").exists()
    dvc(theirs, "dvc", "update", "imported.zip.dvc")
