"""Pose banks: both kinds of files, and people redrawn in their poses."""

import re

import numpy as np
import pytest
import torch
from poses import random_poses

from augment.data.people import People
from augment.data.tuples import Tuples
from augment.plans.redraw import redraw, tuples_of
from augment.poses import INDEX, Pose, bank, table
from augment.poses.annotation_files import HEADER, write_annotations
from reid.common.errors import InputError
from reid.files.samples import is_of_bank, real_table

NAMES = ["c.jpg", "a.jpg", "b.jpg"]
USABLE = Pose.has_torso


def poses():
    """Three, whole pixels; that of a.jpg lacks a hip."""
    found = random_poses(3, 0, missing=0.3)
    found.visible[1, INDEX["left_hip"]] = False
    return Pose(found.joints.round(), found.visible)


def check(found, expected):
    """c.jpg and b.jpg, sorted, at half of the size, where the joints are known."""
    assert found.names == ["bank:b.jpg", "bank:c.jpg"]
    for place, own in enumerate((2, 0)):
        seen = expected.visible[own]
        assert torch.equal(found.poses.visible[place], seen)
        wanted = (expected.joints[own, seen] + 0.5) / 2 - 0.5
        torch.testing.assert_close(found.poses.joints[place, seen], wanted)


def test_tables_know_their_sizes(tmp_path):
    path = tmp_path / "poses.parquet"
    table.write(NAMES, [(128, 64), (128, 64), (128, 64)], poses(), path)
    check(bank.read(path, (64, 32), USABLE), poses())
    with pytest.raises(
        InputError, match=r"poses.parquet says how large its images are: leave out the size \[256, 128\]"
    ):
        bank.read(path, (64, 32), USABLE, (256, 128))


def test_of_annotations_the_size_is_told(tmp_path):
    path = tmp_path / "annotation.csv"
    write_annotations(NAMES, poses(), path)
    check(bank.read(path, (64, 32), USABLE, (128, 64)), poses())
    found = bank.read(path, (64, 32), USABLE)
    seen = poses().visible[0]
    torch.testing.assert_close(found.poses.joints[1, seen], poses().joints[0, seen])


def test_what_is_no_bank_is_named(tmp_path):
    path = tmp_path / "poses.parquet"
    with pytest.raises(FileNotFoundError, match="poses.parquet does not exist: give another pose bank"):
        bank.read(path, (64, 32), USABLE)
    path.write_text("nothing")
    with pytest.raises(InputError, match=r"poses.parquet is damaged .*give another pose bank"):
        bank.read(path, (64, 32), USABLE)
    table.write(["a", "a"], [(128, 64)] * 2, poses()[:2], path)
    with pytest.raises(InputError, match="expected one pose of each image, a has several: give another pose bank"):
        bank.read(path, (64, 32), USABLE)
    table.write(["a"], [(128, 64)], poses()[1:2], path)
    with pytest.raises(InputError, match="none of 1 poses can be drawn, they lack joints"):
        bank.read(path, (64, 32), USABLE)
    other = tmp_path / "annotation.csv"
    other.write_text(f"{HEADER}\n")
    with pytest.raises(InputError, match="annotation.csv has no poses: give another pose bank"):
        bank.read(other, (64, 32), USABLE)
    other.write_text("name;x;y\n")
    with pytest.raises(InputError, match=re.escape("annotation.csv:1: expected the header")):
        bank.read(other, (64, 32), USABLE)


REAL = real_table([f"{n}.jpg" for n in range(4)], "real.zip", identities=[1, 1, 2, 2], cameras=[1, 2, 1, 2])
BANK = [f"bank:{n}.jpg" for n in range(3)]
EVERYBODY = np.ones(4, bool)


def test_people_are_redrawn_in_poses_of_the_bank():
    options = {"usable_sources": EVERYBODY, "usable_targets": ~EVERYBODY, "bank": BANK}
    new = redraw(REAL, 9, 0, "g-a9", "z", **options)
    assert set(new["pose_of"]) == set(BANK)
    assert new["pose_of"].map(is_of_bank).all()
    assert not REAL["image"].map(is_of_bank).any()
    assert new.iloc[:4].equals(redraw(REAL, 2, 0, "g-a9", "z", **options)), "alpha = 2 is the first draw"
    tuples = tuples_of(new, "pose_of", REAL["image"], 1, BANK)
    assert [BANK[target] for target in tuples.targets.tolist()] == list(new["pose_of"])
    assert [REAL["image"][source] for source in tuples.sources[:, 0].tolist()] == list(new["source"])


def test_a_batch_in_poses_of_the_bank_has_the_sources_backgrounds():
    images, behind = torch.randint(0, 256, (2, 4, 3, 8, 4), dtype=torch.uint8)
    people = People(images, random_poses(4, 0), behind, bank=random_poses(6, 1))
    tuples = Tuples.of_pairs(torch.tensor([3, 1]), torch.tensor([5, 0]))
    batch = people.batch(tuples, with_target=False, in_bank=True)
    assert torch.equal(batch.target_pose.joints, random_poses(6, 1).joints[[5, 0]])
    own = people.batch(Tuples.of_pairs(torch.tensor([3, 1]), torch.tensor([3, 1])))
    assert torch.equal(batch.background, own.background)
    assert torch.equal(batch.source, own.source)
    assert people.batch(tuples, in_bank=True).target is None, "there are no images of its people"
    with pytest.raises(InputError, match="no pose bank is given"):
        People(images, random_poses(4, 0)).batch(tuples, with_target=False, in_bank=True)
    assert people.to("cpu").bank is not None
