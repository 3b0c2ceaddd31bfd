"""Pairs against a literal enumeration of the released rules, from the text of an annotation file."""

import ast
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import torch
from poses import random_poses

from augment.data.pairs import all_pairs, sample_pairs
from augment.poses import INDEX, Pose
from augment.poses.annotation_files import write_annotations
from augment.poses.estimators.annotations import Annotations
from reid.files import samples

TORSO = (2, 5, 8, 11)  # right and left shoulder, right and left hip in OpenPose's order


def people(seed, count=120):
    """Names of people, junk and distractors, with poses of which some lack a part of the torso."""
    random = np.random.default_rng(seed)
    names = set()
    while len(names) < count:
        label = random.choice(["-1", "0000", *[f"{number:04d}" for number in range(1, 15)]])
        names.add(f"{label}_c{random.integers(1, 7)}s1_{random.integers(10**6):06d}_{random.integers(4):02d}.jpg")
    pose = random_poses(count, seed)
    visible = pose.visible.clone()
    for joint in ("right_shoulder", "left_hip", "right_hip", "left_shoulder"):
        visible[torch.from_numpy(random.random(count) < 0.08), INDEX[joint]] = False
    visible[0] = False  # nobody was found
    return sorted(names), Pose(pose.joints, visible)


def released(path):
    """Pairs of a file of annotations: all permutations of two of a person's names, and who has a torso."""
    of_person = {}
    for line in path.read_text().splitlines()[1:]:
        name, rows, columns = line.split(":")
        joints = list(zip(ast.literal_eval(rows.strip()), ast.literal_eval(columns.strip()), strict=True))
        if name.startswith(("-1", "0000")) or any(-1 in joints[joint] for joint in TORSO):
            continue
        of_person.setdefault(name.split("_")[0], []).append(name)
    return [pair for names in of_person.values() for pair in permutations(names, 2)]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_pairs_are_the_released_ones(tmp_path, seed):
    names, pose = people(seed)
    write_annotations(names, pose, tmp_path / "annotation.csv")
    identities = [int(name.split("_")[0]) for name in names]
    cameras = [int(name.split("_c")[1][0]) for name in names]
    table = samples.real_table([f"bounding_box_train/{name}" for name in names], "x.zip", identities, cameras)
    usable = Annotations([str(tmp_path / "annotation.csv")]).estimate(table).has_torso().numpy()
    pairs = all_pairs(table, usable)

    expected = released(tmp_path / "annotation.csv")
    assert len(expected) > 100
    assert 0 < usable.sum() < len(table)
    source, target = (pairs[column].str.removeprefix("bounding_box_train/") for column in ("source", "target"))
    found = list(zip(source, target, strict=True))
    assert found == expected, "the same pairs in the same order"
    assert pairs["identity"].tolist() == [int(name.split("_")[0]) for name, _ in expected]


PAIRS = pd.DataFrame({"identity": 1, "source": [f"{i:05d}" for i in range(20_000)], "target": "x"})


def test_twelve_thousand_test_pairs_come_from_the_seed():
    drawn = sample_pairs(PAIRS, 12_000, seed=3)
    assert len(drawn) == 12_000
    assert drawn["source"].is_unique, "without replacement"
    assert set(drawn["source"]) <= set(PAIRS["source"])
    pd.testing.assert_frame_equal(drawn, sample_pairs(PAIRS, 12_000, seed=3))
    assert len(set(drawn["source"]) & set(sample_pairs(PAIRS, 12_000, seed=4)["source"])) < 12_000


def test_each_part_of_the_test_pairs_is_a_sample_of_all():
    rows = sample_pairs(PAIRS, 12_000, seed=3)["source"].astype(int).to_numpy()
    # A mean of 1,200 draws from 0 to 19,999: standard error 167.
    assert np.abs(rows.reshape(10, 1200).mean(1) - 9999.5).max() < 5 * 167


def test_fewer_pairs_than_wanted_are_all_taken():
    drawn = sample_pairs(PAIRS.head(50), 12_000, seed=0)
    pd.testing.assert_frame_equal(drawn.sort_values("source", ignore_index=True), PAIRS.head(50))
