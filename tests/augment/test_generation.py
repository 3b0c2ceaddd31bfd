"""Generating many images, in parts."""

import zipfile

import numpy as np
import pytest
import torch
from poses import random_poses

from augment import generation
from augment.data.people import People
from augment.data.tuples import Tuples
from augment.generation import generate_images, generate_zip, redrawn
from augment.methods.pose_gan.method import PoseGAN
from augment.plans.redraw import redraw, tuples_of
from reid.common.checkpoints import Scratch
from reid.files import samples
from reid.files.images import Archive, decode, encode_jpeg, to_uint8

PEOPLE = People(
    torch.randint(0, 256, (9, 3, 128, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
    random_poses(9, 0),
)
IMAGES = [f"bounding_box_train/000{p}_c{c}s1_00000{p}_0{c}.jpg" for p in (1, 2, 3) for c in (1, 2, 3)]
TABLE = samples.real_table(IMAGES, "x.zip", [int(i[19:23]) for i in IMAGES], [int(i[25]) for i in IMAGES])
USABLE = np.arange(9) != 4
ROWS = redraw(TABLE, 3, 0, "g-a3", "z.zip", usable_sources=USABLE, usable_targets=USABLE)


@pytest.fixture(scope="module")
def method():
    torch.manual_seed(0)
    made = PoseGAN((128, 64), width=0.03)
    made.generator.eval()
    return made


def run(method, tmp_path, name, batch_size=5):
    tuples = tuples_of(ROWS, "pose_of", TABLE["image"], 1)
    scratch = Scratch(name, {}, tmp_path)
    draw = redrawn(method, PEOPLE, tuples)
    generate_zip(draw, list(ROWS["image"]), tmp_path / f"{name}.zip", scratch, seed=0, batch_size=batch_size)
    return tmp_path / f"{name}.zip"


def test_every_row_has_its_image(method, tmp_path):
    with Archive(run(method, tmp_path, "a")) as archive:
        assert archive.names() == sorted(ROWS["image"])
        assert {archive.image(name).shape for name in archive.names()} == {(128, 64, 3)}


def test_an_image_shows_its_source_in_its_pose(method, tmp_path):
    path, other = run(method, tmp_path, "a"), run(method, tmp_path, "b", batch_size=3)
    with Archive(path) as archive, Archive(other) as again:
        for row in ROWS.iloc[[0, 5, 11]].itertuples():
            source, target = (torch.tensor([IMAGES.index(name)]) for name in (row.source, row.pose_of))
            with torch.no_grad():
                batch = PEOPLE.batch(Tuples.of_pairs(source, target))
                expected = to_uint8(method.generate(batch))[0].permute(1, 2, 0)
            stored = archive.image(row.image)
            near = decode(encode_jpeg(expected.numpy()), "x")
            # A batch of another size rounds differently, here and there by a grey level.
            assert np.abs(stored.astype(int) - near).mean() < 0.1
            assert np.abs(stored.astype(int) - again.image(row.image)).mean() < 0.1


def test_images_are_those_of_the_zip_before_compression(method, tmp_path):
    tuples = tuples_of(ROWS, "pose_of", TABLE["image"], 1)
    images = generate_images(method, PEOPLE, tuples, Scratch("i", {}, tmp_path), seed=0, batch_size=5)
    assert images.shape == (16, 3, 128, 64)
    with zipfile.ZipFile(run(method, tmp_path, "a")) as archive:
        for image, name in zip(images, ROWS["image"], strict=True):
            assert archive.read(name) == encode_jpeg(image.permute(1, 2, 0).numpy())


def test_an_interrupted_run_goes_on(method, tmp_path, monkeypatch):
    monkeypatch.setattr(generation, "PART", 6)
    whole = run(method, tmp_path, "whole", batch_size=6)
    generate, calls = method.generate, []

    def dying(batch):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return generate(batch)

    monkeypatch.setattr(method, "generate", dying)
    with pytest.raises(KeyboardInterrupt):
        run(method, tmp_path, "broken", batch_size=6)
    assert not (tmp_path / "broken.zip").exists()
    resumed = run(method, tmp_path, "broken", batch_size=6)
    assert len(calls) == 4, "16 images in parts of 6: two parts were made before, the third was tried twice"
    assert resumed.read_bytes() == whole.read_bytes()
