import zipfile

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import random_poses

from augment import synthesis
from augment.data.pairs import all_pairs, sample_pairs
from augment.data.people import People
from augment.generators import GENERATORS
from augment.synthesis import generated_name, plan, synthesise
from reid.common.checkpoints import Scratch
from reid.files import samples
from reid.files.images import Archive, decode, encode_jpeg, to_uint8

IMAGES = [f"bounding_box_train/000{p}_c{c}s1_00000{p}_0{c}.jpg" for p in (1, 2, 3) for c in (1, 2, 3)]
TABLE = samples.real_table(IMAGES, "x.zip", [int(i[19:23]) for i in IMAGES], [int(i[25]) for i in IMAGES])
USABLE = np.arange(9) != 4


def test_pairs_are_all_ordered_pairs_of_a_person():
    expected = {
        (a, b)
        for a, b in ((IMAGES[i], IMAGES[j]) for i in range(9) for j in range(9) if i != j and 4 not in (i, j))
        if a[:23] == b[:23]
    }
    pairs = all_pairs(TABLE, USABLE)
    assert set(zip(pairs["source"], pairs["target"], strict=True)) == expected
    assert len(pairs) == len(expected) == 6 + 2 + 6
    assert pairs["identity"].tolist() == [int(image[19:23]) for image in pairs["source"]]


def test_junk_distractors_and_lone_images_make_no_pairs():
    table = TABLE.assign(identity=[-1, -1, 0, 0, 5, 6, 7, 7, 8])
    pairs = all_pairs(table, np.ones(9, bool))
    assert pairs["identity"].tolist() == [7, 7]


def test_sampled_pairs_repeat():
    pairs = all_pairs(TABLE, USABLE)
    pd.testing.assert_frame_equal(sample_pairs(pairs, 5, seed=1), sample_pairs(pairs, 5, seed=1))
    assert len(sample_pairs(pairs, 5, seed=1)) == 5
    assert len(sample_pairs(pairs, 500, seed=1)) == len(pairs)


def test_plan_labels_draws_and_nesting():
    ten = plan(TABLE, USABLE, 10, 0, "full-a10", "z.zip")
    two = plan(TABLE, USABLE, 2, 0, "full-a2", "z.zip")
    assert len(ten) == 9 * USABLE.sum()
    assert ten["image"].is_unique
    assert sorted(ten["draw"].unique()) == list(range(1, 10))
    samples.check(pd.concat([TABLE, ten]))  # identity and camera of the source
    columns = ["image", "source", "pose_of", "draw"]
    pd.testing.assert_frame_equal(ten[ten["draw"] == 1][columns].reset_index(drop=True), two[columns])
    assert set(ten["pose_of"]) <= set(TABLE["image"][USABLE])
    assert ten["pose_of"].nunique() == USABLE.sum(), "72 draws of 8 poses"
    assert not two["pose_of"].equals(plan(TABLE, USABLE, 2, 1, "full-a2", "z.zip")["pose_of"])


def test_draws_do_not_depend_on_the_order_of_the_table():
    order = np.random.default_rng(0).permutation(9)
    turned = plan(TABLE.iloc[order], USABLE[order], 3, 0, "g", "z")
    pd.testing.assert_frame_equal(turned, plan(TABLE, USABLE, 3, 0, "g", "z"))


@pytest.mark.parametrize("alpha", [1, 0, -3])
def test_alpha_below_two(alpha):
    with pytest.raises(ValueError, match=f"alpha must be at least 2, got {alpha}"):
        plan(TABLE, USABLE, alpha, 0, "g", "z")


def test_no_usable_pose():
    with pytest.raises(ValueError, match="none of the 9 training images has a usable pose"):
        plan(TABLE, np.zeros(9, bool), 2, 0, "g", "z")


def test_generated_names_are_market_names():
    name = "bounding_box_train/0002_c1s1_000451_03_g07.jpg"
    assert generated_name("bounding_box_train/0002_c1s1_000451_03.jpg", 7) == name
    assert generated_name("Market-1501-v15.09.15/bounding_box_train/0002_c1s1_000451_03.jpg", 7) == name


class TestSynthesis:
    people = People(
        torch.randint(0, 256, (9, 3, 128, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
        random_poses(9, 0),
    )

    def run(self, tmp_path, name, batch_size=5):
        torch.manual_seed(0)
        generator = GENERATORS["deformable"]((128, 64), 0.03).eval()
        rows = plan(TABLE, USABLE, 3, 0, "g-a3", "z.zip")
        scratch = Scratch(name, {}, tmp_path)
        synthesise(generator, self.people, IMAGES, rows, tmp_path / f"{name}.zip", scratch, batch_size)
        return tmp_path / f"{name}.zip", rows

    def test_every_row_has_its_image(self, tmp_path):
        path, rows = self.run(tmp_path, "a")
        with Archive(path) as archive:
            assert archive.names() == sorted(rows["image"])
            assert {archive.image(name).shape for name in archive.names()} == {(128, 64, 3)}

    def test_an_image_shows_its_source_in_its_pose(self, tmp_path):
        path, rows = self.run(tmp_path, "a")
        other, _ = self.run(tmp_path, "b", batch_size=3)
        torch.manual_seed(0)
        generator = GENERATORS["deformable"]((128, 64), 0.03).eval()
        with Archive(path) as archive, Archive(other) as again:
            for row in rows.iloc[[0, 5, 11]].itertuples():
                source, target = (torch.tensor([IMAGES.index(name)]) for name in (row.source, row.pose_of))
                with torch.no_grad():
                    expected = to_uint8(generator.generate(self.people.batch(source, target)))[0].permute(1, 2, 0)
                stored = archive.image(row.image)
                near = decode(encode_jpeg(expected.numpy()), "x")
                # A batch of another size rounds differently, here and there by a grey level.
                assert np.abs(stored.astype(int) - near).mean() < 0.1
                assert np.abs(stored.astype(int) - again.image(row.image)).mean() < 0.1

    def test_an_interrupted_run_goes_on(self, tmp_path, monkeypatch):
        monkeypatch.setattr(synthesis, "PART", 6)
        whole, _ = self.run(tmp_path, "whole")
        generate, calls = synthesis._generate, []

        def dying(*arguments):
            calls.append(1)
            if len(calls) == 3:
                raise KeyboardInterrupt
            yield from generate(*arguments)

        monkeypatch.setattr(synthesis, "_generate", dying)
        with pytest.raises(KeyboardInterrupt):
            self.run(tmp_path, "broken")
        assert not (tmp_path / "broken.zip").exists()
        resumed, _ = self.run(tmp_path, "broken")
        assert len(calls) == 4, "16 images in parts of 6: two parts were made before, the third was tried twice"
        with zipfile.ZipFile(resumed) as a, zipfile.ZipFile(whole) as b:
            assert a.namelist() == b.namelist()
        assert resumed.read_bytes() == whole.read_bytes()
