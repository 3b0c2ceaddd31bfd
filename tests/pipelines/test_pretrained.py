"""Publishing a trained generator, and starting from one."""

import hashlib
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
    assert [training["iterations"] for training in trainings] == [2, 2]
    assert trainings[1]["initial"] == str(OUT)
    assert "initial" not in trainings[0]
    after = torch.load(Path("data/gan/full/weights.pt"))["generator"]
    bias = "decoder.last.bias"
    assert not torch.equal(after[bias], whole["generator"][bias])
    # Two steps of Adam change each weight by at most about twice the learning rate.
    assert (after[bias] - whole["generator"][bias]).abs().max() < 2e-3

    before = (OUT / "weights.pt").read_bytes()
    run("score-gan", "full")
    run(*words)
    assert (OUT / "weights.pt").read_bytes() != before, "the older one is replaced"
    assert "| training 1 | training 2 |" in (OUT / "README.md").read_text()
    (OUT / "mine.txt").write_text("mine")
    assert "holds other files than a published generator's" in run(*words, fails=True)
    assert (OUT / "mine.txt").exists()


def test_weights_to_start_from_are_missing(prepared):
    write_params(lambda params: params["gan"]["full"].update(initial="nowhere"))
    assert "nowhere/config.json does not exist: nowhere holds no weights to start from" in run(
        "train-gan", "full", fails=True
    )


def photograph(size, crops, at):
    """A grey picture of (H, W) with crops of people, (H, W, 3) each, at (x, y)."""
    picture = np.full((*size, 3), 128, np.uint8)
    for crop, (x, y) in zip(crops, at, strict=True):
        picture[y : y + crop.shape[0], x : x + crop.shape[1]] = crop
    return picture


@pytest.mark.slow
def test_a_person_is_cut_out_of_a_photograph(trained):
    """Whose crop it is lies in the middle of what is cut out, at about its height."""
    shutil.unpack_archive("data/raw/tiny.zip", "crops")
    file = sorted(Path("crops/bounding_box_train").iterdir())[0]
    with Image.open(file) as image:
        crop = np.asarray(image.resize((160, 320)))
    for size, (x, y) in (((400, 600), (60, 40)), ((360, 400), (235, 30))):
        picture = photograph(size, [crop], [(x, y)])
        cut = person(picture, file)
        assert cut.shape[0] == pytest.approx(2 * cut.shape[1], abs=1)
        assert 200 < cut.shape[0] < 420
        difference = [
            np.abs(cut[top : top + 40, left : left + 20].astype(int) - crop[140:180, 70:90]).mean()
            for top in range(0, cut.shape[0] - 40, 1)
            for left in range(0, cut.shape[1] - 20, 1)
        ]
        assert min(difference) == 0, "the person's middle is in it"
    assert person(crop, file) is crop

    Image.fromarray(picture).save("photo.png")
    run("generate", "--gan", "data/gan/full", "--image", "photo.png", "--pose", file, "--out", "new.png")
    Image.fromarray(np.full((200, 300, 3), 128, np.uint8)).save("wall.png")
    output = run(
        "generate", "--gan", "data/gan/full", "--image", "wall.png", "--pose", file, "--out", "new.png", fails=True
    )
    assert "wall.png: no person was found" in output
