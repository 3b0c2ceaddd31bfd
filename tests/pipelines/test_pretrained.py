"""Publishing a trained generator, and starting from one."""

import hashlib
import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import run, write_params
from PIL import Image

from augment import methods
from pipelines.commands.generate import person
from reid.common.errors import InputError

OUT = Path("data/pretrained/full")


@pytest.mark.slow
def test_a_published_generator_is_started_from(trained):
    words = ("publish", "full", "--out", OUT, "--note", "On nobody; in no time.")
    assert "data/gan_scores/real.json does not exist: run `dvc repro score_gan`" in run(*words, fails=True)
    for name in ("real", "full"):
        run("score-gan", name)
    run(*words)
    assert {file.name for file in OUT.iterdir()} == {"config.json", "weights.pt", "README.md", "sheet.jpg"}
    whole, half = (torch.load(Path(folder, "weights.pt")) for folder in ("data/gan/full", OUT))
    for network, weights in whole.items():
        for key, value in weights.items():
            assert half[network][key].dtype == torch.float16
            torch.testing.assert_close(half[network][key].float(), value, atol=1e-6, rtol=1e-3)
    card = (OUT / "README.md").read_text()
    assert "On nobody; in no time." in card
    assert hashlib.sha256((OUT / "weights.pt").read_bytes()).hexdigest() in card
    scores = json.loads(Path("data/gan_scores/full.json").read_text())["scores"]
    assert f"| {scores['l1']:.3f} |" in card
    assert methods.load(OUT).size == (128, 64)

    write_params(lambda params: params["gan"]["full"].update(initial=str(OUT)))
    run("train-gan", "full")
    trainings = json.loads(Path("data/gan/full/config.json").read_text())["trainings"]
    assert [training["options"]["iterations"] for training in trainings] == [2, 2]
    assert [training["initial"] for training in trainings] == [None, str(OUT)]
    assert trainings[1]["data"] == ["data/raw/tiny.zip"]
    assert trainings[1]["device"] == "CPU, 1 threads"
    after = torch.load(Path("data/gan/full/weights.pt"))["generator"]
    bias = "decoder.last.bias"
    assert not torch.equal(after[bias], whole["generator"][bias])
    # Two steps of Adam change each weight by at most about twice the learning rate.
    assert (after[bias] - whole["generator"][bias]).abs().max() < 2e-3

    before = (OUT / "weights.pt").read_bytes()
    assert "data/gan_scores/full.json has the scores of other weights than" in run(*words, fails=True)
    run("score-gan", "full")
    run(*words)
    assert (OUT / "weights.pt").read_bytes() != before, "the older one is replaced"
    tables = [line for line in (OUT / "README.md").read_text().splitlines() if line.startswith("|")]
    assert "| | training 1 | training 2 |" in tables
    for heads, rules in itertools.pairwise(tables):
        if set(rules) <= set("|:-"):
            assert heads.count("|") == rules.count("|")
    (OUT / "mine.txt").write_text("mine")
    assert "holds other files than a published generator's" in run(*words, fails=True)
    assert (OUT / "mine.txt").exists()


def test_weights_to_start_from_are_missing(prepared):
    write_params(lambda params: params["gan"]["full"].update(initial="nowhere"))
    assert "nowhere/config.json does not exist: nowhere holds no weights to start from" in run(
        "train-gan", "full", fails=True
    )


def crop_of_a_person(project):
    """Of the tiny set, 320 pixels high."""
    shutil.unpack_archive("data/raw/tiny.zip", "crops")
    file = sorted(Path("crops/bounding_box_train").iterdir())[0]
    with Image.open(file) as image:
        return file, np.asarray(image.resize((160, 320)))


def photograph(size, crop, at):
    """A grey picture of (H, W) with a crop (h, w, 3) at (x, y)."""
    picture = np.full((*size, 3), 128, np.uint8)
    x, y = at
    picture[y : y + crop.shape[0], x : x + crop.shape[1]] = crop
    return picture


@pytest.mark.slow
def test_a_person_is_cut_out_of_a_photograph(project):
    """Wherever they are in it: what is cut out has the wanted shape and holds the person's middle."""
    file, crop = crop_of_a_person(project)
    cases = [
        ((400, 600), (60, 40), 0.5),
        ((360, 400), (235, 30), 0.5),
        ((360, 600), (0, 0), 1.0),
        ((900, 500), (200, 300), 0.5),
    ]
    for size, at, aspect in cases:
        cut = person(photograph(size, crop, at), file, aspect)
        assert cut.shape[1] == pytest.approx(aspect * cut.shape[0], abs=1)
        assert 200 < cut.shape[0] < 480
        middle = crop[140:180, 70:90]
        windows = np.lib.stride_tricks.sliding_window_view(cut, middle.shape)[:, :, 0]
        assert (windows == middle).all((2, 3, 4)).any()
    assert person(crop, file, 0.5) is crop
    wall = np.full((200, 300, 3), 128, np.uint8)
    with pytest.raises(
        InputError, match="wall.png: no person was found; use a crop around a whole body, 2 times as high"
    ):
        person(wall, Path("wall.png"), 0.5)
    assert person(wall, Path("wall.png"), 1.5) is wall, "of the shape of a crop: the pose estimator decides"


@pytest.mark.slow
def test_generate_takes_photographs_as_cameras_turn_them(trained):
    file, crop = crop_of_a_person(trained)
    picture = Image.fromarray(photograph((360, 400), crop, (120, 20)))
    picture.save("plain.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees to the right
    picture.rotate(90, expand=True).save("turned.png", exif=exif)
    for name in ("plain", "turned"):
        run("generate", "--gan", "data/gan/full", "--image", f"{name}.png", "--pose", file, "--out", f"{name}-new.png")
    assert Path("plain-new.png").read_bytes() == Path("turned-new.png").read_bytes()
