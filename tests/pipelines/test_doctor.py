"""`doctor` names what is missing, with its remedy, and exits with 1 where stages cannot run."""

import re

import pytest
from commands import run, write_params
from conftest import ROOT

from pipelines.console import DURATIONS
from reid.files import weights


def found(**options):
    """(mark, title, text) of each line."""
    lines = [line for line in run("doctor", **options).splitlines() if line[:8].strip() in ("ok", "warning", "FAILS")]
    return [(line[:8].strip(), *line[9:].split(": ", 1)) for line in lines]


def test_a_machine_that_has_everything(project):
    DURATIONS.parent.mkdir()
    DURATIONS.write_text("pair\t1\n")  # is no run
    answers = found()
    assert {title for _, title, _ in answers} == {
        "Python", "packages", "device", "cores", "weights", "data", "repository", "locks",
    }  # fmt: skip
    assert not [answer for answer in answers if answer[0] == "FAILS"]
    texts = [text for _, _, text in answers]
    assert any(text.startswith("mobilenet-v2, for network ide: SHA-256 is right") for text in texts)
    assert any(" in data/raw/tiny.zip: 51 train, 10 query, 29 gallery images" in text for text in texts)
    assert not (project / ".scratch/doctor").exists()
    assert not any("wait to go on" in text for text in texts)


@pytest.mark.parametrize(
    ("change", "title", "said"),
    [
        (lambda p: p["dataset"].update(path="data/raw/gone.zip"), "data", "gone.zip does not exist.*docs/datasets.md"),
        (lambda p: p["gan"]["full"].update(initial="data/pretrained/gone"), "weights", "set gan.full.initial: null"),
        (lambda p: p.update(device="cuda"), "device", "no NVIDIA GPU, and device is cuda -> set device: auto"),
        (
            lambda p: (
                p.update(image_size=[64, 32]),
                p["gan"]["full"].update(initial=str(ROOT / "data/pretrained/full")),
            ),
            "weights",
            r"is for images of \[128, 64\], image_size is \[64, 32\] -> set gan.full.initial: null",
        ),
    ],
)
def test_what_is_missing_stops_it(project, monkeypatch, change, title, said):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    write_params(change)
    answers = [text for mark, name, text in found(fails=True) if (mark, name) == ("FAILS", title)]
    assert len(answers) == 1
    assert re.search(said, answers[0])
    assert "cannot run here: of the lines above 1 say why" in run("doctor", fails=True)


def test_weights_that_are_missing_or_damaged(project, monkeypatch):
    def locate(name):
        if name == "mobilenet-v2":
            raise weights.MissingWeights("weights mobilenet-v2: get them")
        if name == "ssdlite-person":
            raise weights.MissingWeights("weights ssdlite-person: get them")

    monkeypatch.setattr(weights, "locate", locate)
    marks = {text.split(",")[0]: mark for mark, title, text in found(fails=True) if title == "weights"}
    assert (marks["mobilenet-v2"], marks["ssdlite-person"]) == ("FAILS", "warning")


def test_the_guiders_backbone_is_needed_whether_it_is_named_or_the_default(project, monkeypatch):
    monkeypatch.setattr(weights, "locate", lambda name: None)

    def guide(params):
        params["gan"]["guided"] = {**params["gan"]["baseline"], "method": "guided", "options": {}, "initial": None}
        params.update(generators=["guided"], exports=[])

    write_params(guide)
    texts = [text for _, title, text in found() if title == "weights"]
    assert any(text.startswith("resnet50, for the guider of generator guided") for text in texts)


def test_files_that_are_not_images_of_the_set_are_counted(project):
    (project / "data/raw/own/query").mkdir(parents=True)
    for name in ("bounding_box_train", "bounding_box_test"):
        (project / "data/raw/own" / name).mkdir()
        (project / f"data/raw/own/{name}/0001_c1s1_000001_00.jpg").touch()
    (project / "data/raw/own/query/anna.jpg").touch()
    write_params(lambda p: p["dataset"].update(path="data/raw/own"))
    (answer,) = [text for mark, _, text in found(fails=True) if mark == "FAILS"]
    assert "1 train, 0 query, 1 gallery images -> 2 fatal findings: `python -m pipelines prepare` lists them" in answer
