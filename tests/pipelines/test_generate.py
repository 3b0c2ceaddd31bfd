"""The commands that draw people with a trained generator."""

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from commands import run, write_params
from disentangled import taught
from PIL import Image

from augment import methods
from augment.methods.disentangled.manipulation import to_noise
from augment.methods.multi_source.method import MultiSourceGAN
from augment.methods.pose_gan.method import PoseGAN
from reid.files.images import stored_size


@pytest.mark.slow
def test_generate_draws_one_person(trained):
    shutil.unpack_archive("data/raw/tiny.zip", "crops")
    first, second = sorted(Path("crops/bounding_box_train").iterdir())[:2]
    run("generate", "--gan", "data/gan/full", "--image", first, "--pose", second, "--out", "out/new.png")
    assert stored_size(Path("out/new.png")) == (128, 64)
    words = ("generate", "--gan", "data/gan/full", "--image", first, "--pose", second)
    before = second.read_bytes()
    for wrong in ("out/new.jpg", second):
        assert "expected --out to be a new file that ends in .png" in run(*words, "--out", wrong, fails=True)
    assert second.read_bytes() == before
    config = Path("data/gan/full/config.json")
    for text, fault in (("{}", "it has no method"), ("{", "Expecting property name")):
        config.write_text(text)
        output = run(*words, "--out", "out/new.png", fails=True)
        assert f"data/gan/full/config.json is damaged ({fault}" in output
        assert "restore it (`dvc checkout -f`, or `git checkout` in data/pretrained), or train again" in output


@pytest.mark.slow
def test_generate_takes_several_images_of_a_person(project):
    shutil.unpack_archive("data/raw/tiny.zip", "crops")
    first, second, third = sorted(Path("crops/bounding_box_train").iterdir())[:3]
    torch.manual_seed(0)
    options = {"width": 0.0625, "sources": 2}
    methods.save(MultiSourceGAN((128, 64), **options), "multi_source", options, Path("gan"))
    words = ("generate", "--gan", "gan", "--pose", third)
    for name, images in (("one", [first]), ("both", [first, second]), ("turned", [second, first])):
        run(*words, *(word for image in images for word in ("--image", image)), "--out", f"{name}.png")
    one, both, turned = (np.asarray(Image.open(f"{name}.png")).astype(int) for name in ("one", "both", "turned"))
    assert (one != both).any()
    assert abs(both - turned).max() <= 1, "but for rounding"
    output = run(*words, *("--image", first) * 3, "--out", "three.png", fails=True)
    assert "the generator in gan draws from 2 images at most, got 3" in output


@pytest.mark.slow
def test_attention_is_drawn(trained):
    torch.manual_seed(0)
    options = {"width": 0.0625, "sources": 3}
    methods.save(MultiSourceGAN((128, 64), **options), "multi_source", options, Path("data/gan/several"))
    write_params(lambda p: p["gan"].update(several={"method": "multi_source", "options": options}))
    run("attention", "several", "--out", "out/several")
    with Image.open("out/several.png") as image:
        assert image.height > 12 * 128, "three sources with attention, the target, three results, two with a black one"
    table = pd.read_csv("out/several.tsv", sep="\t").set_index("relative attention of")
    assert table["mean"].between(0, 3).sum() >= 4, "at most three times as much as each gets on average"
    assert ((table["low"] <= table["mean"]) & (table["mean"] <= table["high"])).all()
    assert table.loc["the last source", "mean"] != table.loc["the last source, black", "mean"]
    difference = table.loc["sources that show a joint, at it", "mean"] - table.loc["sources that do not, at it", "mean"]
    assert table.loc["sources that show it against those that do not", "mean"] == pytest.approx(difference, abs=2e-3)
    difference = table.loc["the last source, black", "mean"] - table.loc["the last source", "mean"]
    assert table.loc["black against ordinary", "mean"] == pytest.approx(difference, abs=2e-3)
    assert "full draws from one source, and has no attention" in run("attention", "full", fails=True)


@pytest.mark.slow
def test_factors_are_drawn(trained, monkeypatch):
    monkeypatch.setattr("augment.methods.disentangled.manipulation.to_noise", partial(to_noise, steps=3))
    torch.manual_seed(0)
    options = {"width": 0.03125}
    methods.save(taught(**options), "disentangled", options, Path("data/gan/apart"))
    write_params(lambda p: p["gan"].update(apart={"method": "disentangled", "options": options}))
    run("factors", "apart", "--out", "sheet.png")
    with Image.open("sheet.png") as image:
        assert image.height > 9 * 128
    assert "full does not tell foreground, background and pose apart" in run("factors", "full", fails=True)


@pytest.mark.slow
def test_generate_draws_a_person_before_a_background(project):
    shutil.unpack_archive("data/raw/tiny.zip", "crops")
    first, second, street, wall = sorted(Path("crops/bounding_box_train").iterdir())[:4]
    torch.manual_seed(0)
    options = {"width": 0.0625, "background": True}
    methods.save(PoseGAN((128, 64), **options), "pose_gan", options, Path("gan"))
    words = ("generate", "--gan", "gan", "--image", first, "--pose", second)
    assert "the generator in gan needs a --background" in run(*words, "--out", "out/none.png", fails=True)
    methods.save(PoseGAN((128, 64), width=0.0625), "pose_gan", {"width": 0.0625}, Path("without"))
    output = run("generate", "--gan", "without", *words[3:], "--out", "out/b.png", "--background", street, fails=True)
    assert "the generator in without was trained without backgrounds: leave it out" in output
    assert "the generator in gan makes no pose of noise" in run(
        *words, "--noise", "pose", "--background", wall, "--out", "c.png", fails=True
    )
    options = {"width": 0.03125}
    methods.save(taught(**options), "disentangled", options, Path("apart"))
    for gan, given in (("gan", street), ("gan", wall), ("apart", street), ("apart", wall)):
        run("generate", "--gan", gan, *words[3:], "--background", given, "--out", f"out/{gan}-{given.stem}.png")
    for factor in ("foreground", "background"):
        run("generate", "--gan", "apart", *words[3:], "--noise", factor, "--seed", 1, "--out", f"out/{factor}.png")
    run("generate", "--gan", "apart", "--image", first, "--noise", "pose", "--seed", 1, "--out", "out/pose.png")
    made = [path.read_bytes() for path in Path("out").glob("*.png")]
    assert len(made) == len(set(made)) == 7
    output = run("generate", "--gan", "apart", *words[3:], "--noise", "pose", "--out", "c.png", fails=True)
    assert "the pose is to be made of noise: leave --pose out" in output
    assert "expected --pose" in run("generate", "--gan", "apart", "--image", first, "--out", "c.png", fails=True)
    both = ("--noise", "background", "--background", wall)
    output = run("generate", "--gan", "apart", *words[3:], *both, "--out", "c.png", fails=True)
    assert "the background is to be made of noise: leave --background out" in output
    options |= {"mapping_iterations": 0}
    methods.save(taught(**options), "disentangled", options, Path("b"))
    output = run("generate", "--gan", "b", *words[3:], "--noise", "foreground", "--out", "c.png", fails=True)
    assert "the generator in b has not learnt to make a foreground of noise" in output
    options |= {"backgrounds": False}
    methods.save(taught(**options), "disentangled", options, Path("plain"))
    output = run("generate", "--gan", "plain", *words[3:], "--noise", "background", "--out", "c.png", fails=True)
    assert "was trained with `backgrounds: false`, and makes no background" in output


@pytest.mark.slow
def test_people_between_two(project, monkeypatch):
    monkeypatch.setattr("augment.methods.disentangled.manipulation.to_noise", partial(to_noise, steps=3))
    shutil.unpack_archive("data/raw/tiny.zip", "crops")
    people = sorted(Path("crops/bounding_box_train").iterdir())[:2]
    options = {"width": 0.03125}
    method = taught(**options)
    methods.save(method, "disentangled", options, Path("apart"))
    words = ("interpolate", "--gan", "apart", "--steps", 3, "--out")
    drawn = {}
    for name, more in {
        "all": people,
        "pose": (*people, "--factor", "pose"),
        "noise": (),
        "other": ("--seed", 1),
    }.items():
        run(*words, f"out/{name}.png", *more)
        with Image.open(f"out/{name}.png") as image:
            drawn[name] = np.asarray(image)
        assert drawn[name].shape == (128, 3 * 64, 3)
    assert len({picture.tobytes() for picture in drawn.values()}) == 4
    assert not np.array_equal(drawn["all"][:, :64], drawn["all"][:, 128:])
    assert "expected two pictures of people, or none" in run(*words, "a.png", people[0], fails=True)
    assert "ends in .png" in run(*words, "a.jpg", fails=True)
    methods.save(PoseGAN((128, 64), width=0.0625), "pose_gan", {"width": 0.0625}, Path("whole"))
    output = run("interpolate", "--gan", "whole", "--out", "a.png", fails=True)
    assert "the generator in whole does not tell foreground, background and pose apart" in output
    options |= {"pose_mapping_iterations": 0}
    methods.save(taught(**options), "disentangled", options, Path("apart"))
    run(*words, "out/look.png", *people, "--factor", "foreground")
    assert "lacks its phase pose mapping" in run(*words, "a.png", *people, fails=True)
    assert "lacks its phase pose mapping" in run(*words, "a.png", "--factor", "foreground", fails=True)
    options |= {"pose_iterations": 0}
    methods.save(taught(**options), "disentangled", options, Path("apart"))
    assert "lacks its phase pose:" in run(*words, "a.png", *people, "--factor", "foreground", fails=True)
