import json
import math
import zipfile

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from poses import random_poses

from augment.geometry import heatmaps
from augment.poses import INDEX, JOINTS, Pose, table
from augment.poses.annotation_files import read_annotations, write_annotations
from augment.poses.doubts import doubts
from augment.poses.estimators import ESTIMATORS
from augment.poses.estimators.blazepose import Landmarker
from augment.poses.estimators.truth import Truth
from augment.poses.skeleton import LEFT, RIGHT, skeleton
from reid.common.errors import InputError
from reid.datasets import DATASETS


def python_2(a, b):
    """`a / b` of whole numbers, as Python 2 has it."""
    return a // b


def test_heatmaps_are_the_released_staircase():
    pose = random_poses(2, seed=0)
    maps = heatmaps(pose, (128, 64))
    for b, joint in np.ndindex(2, 18):
        if not pose.visible[b, joint]:
            assert not maps[b, joint].any()
            continue
        across, down = (int(coordinate) for coordinate in pose.joints[b, joint].tolist())
        for y in range(128):
            for x in range(0, 64, 3):
                square = (x - across) ** 2 + (y - down) ** 2
                assert maps[b, joint, y, x].item() == pytest.approx(math.exp(python_2(-square, 72)), abs=1e-6)
    # A step ends on the pixels whose squared distance divides: 6 and 6 beside the joint is the first step's last.
    at = heatmaps(Pose(torch.full((18, 2), 20.9), torch.ones(18, dtype=torch.bool)), (64, 64))[0]
    steps = [at[20, 20], at[20, 21], at[26, 26], at[26, 27], at[32, 20], at[33, 20]]
    assert [round(-math.log(value)) for value in steps] == [0, 1, 1, 2, 2, 3]


def test_heatmaps_may_be_gaussians_of_the_distance():
    pose = random_poses(2, seed=0)
    maps = heatmaps(pose, (20, 12), sigma=6.0, convention="gaussian")
    assert maps.shape == (2, 18, 20, 12)
    for b, joint, y, x in [(0, 0, 0, 0), (0, 3, 19, 11), (1, 7, 5, 10), (1, 12, 13, 2), (0, 17, 9, 9)]:
        dx, dy = x - pose.joints[b, joint, 0], y - pose.joints[b, joint, 1]
        expected = math.exp(-(dx**2 + dy**2) / (2 * 6.0**2)) if pose.visible[b, joint] else 0.0
        assert maps[b, joint, y, x].item() == pytest.approx(expected, abs=1e-6)
    assert not maps[~pose.visible].any()


def test_heatmaps_of_the_text_fall_with_the_plain_distance():
    pose = random_poses(2, seed=0)
    maps = heatmaps(pose, (20, 12), convention="paper")
    assert maps.shape == (2, 18, 20, 12)
    for b, joint, y, x in [(0, 0, 0, 0), (0, 3, 19, 11), (1, 7, 5, 10), (1, 12, 13, 2), (0, 17, 9, 9)]:
        distance = math.hypot(x - pose.joints[b, joint, 0], y - pose.joints[b, joint, 1])
        expected = math.exp(-distance / 36) if pose.visible[b, joint] else 0.0
        assert maps[b, joint, y, x].item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("convention", ["released", "gaussian", "paper"])
def test_heatmaps_of_many_sources_at_once(convention):
    pose = random_poses(6, seed=1)
    many = Pose(pose.joints.view(2, 3, 18, 2), pose.visible.view(2, 3, 18))
    together = heatmaps(many, (16, 8), convention=convention)
    torch.testing.assert_close(together.view(6, 18, 16, 8), heatmaps(pose, (16, 8), convention=convention))


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"got \(3, 17, 2\) and \(3, 17\)"):
        Pose(torch.zeros(3, 17, 2), torch.zeros(3, 17, dtype=torch.bool))


def test_torso_needs_all_four_joints():
    pose = random_poses(2, seed=0)
    pose.visible[1, INDEX["left_hip"]] = False
    assert pose.has_torso().tolist() == [True, False]


def test_table_keeps_poses_and_scales_them(tmp_path):
    pose = random_poses(3, seed=2)
    table.write(["a", "b", "c"], [(128, 64)] * 3, pose, tmp_path / "p.parquet")
    same = table.read(tmp_path / "p.parquet", ["c", "a"], (128, 64))
    torch.testing.assert_close(same.joints, pose.joints[[2, 0]])
    assert torch.equal(same.visible, pose.visible[[2, 0]])
    half = table.read(tmp_path / "p.parquet", ["a"], (64, 32))
    torch.testing.assert_close(half.joints[0], (pose.joints[0] + 0.5) / 2 - 0.5)
    with pytest.raises(InputError, match="p.parquet: expected a pose of each image, 1 of 2 have none, e.g. z"):
        table.read(tmp_path / "p.parquet", ["a", "z"], (128, 64))


def test_annotations_are_written_and_read(tmp_path):
    pose = random_poses(2, seed=3, missing=0.4)
    path = tmp_path / "annotation.csv"
    write_annotations(["a.jpg", "b.jpg"], pose, path)
    lines = path.read_text().splitlines()
    assert lines[0] == "name:keypoints_y:keypoints_x"
    first_y = int(pose.joints[0, 0, 1]) if pose.visible[0, 0] else -1
    assert lines[1].startswith(f"a.jpg: [{first_y}, ")
    read = read_annotations(path)
    assert list(read) == ["a.jpg", "b.jpg"]
    assert torch.equal(read["b.jpg"].visible, pose.visible[1])
    seen = pose.visible[1]
    assert torch.equal(read["b.jpg"].joints[seen], pose.joints[1][seen].int().float())
    images = pd.DataFrame({"image": ["x/b.jpg", "x/a.jpg"]})
    found = ESTIMATORS["annotations"](files=[str(path)]).estimate(images)
    assert torch.equal(found.joints[1], read["a.jpg"].joints)


def test_bad_annotations_name_file_and_line(tmp_path):
    path = tmp_path / "annotation.csv"
    path.write_text("name:keypoints_y:keypoints_x\na.jpg: [1, 2]: [3]\n")
    with pytest.raises(ValueError, match=r"annotation.csv:2: expected `name: \[y of 18 joints\].*got 'a.jpg: \[1, 2\]"):
        read_annotations(path)
    path.write_text("name;y;x\n")
    with pytest.raises(ValueError, match=r"annotation.csv:1: expected the header"):
        read_annotations(path)
    write_annotations(["a.jpg"], random_poses(1, 0), path)
    with pytest.raises(InputError, match="expected an annotation of each image, 1 of 1 have none, e.g. b.jpg"):
        ESTIMATORS["annotations"](files=[str(path)]).estimate(pd.DataFrame({"image": ["b.jpg"]}))


def test_two_annotation_files_may_not_contradict_each_other(tmp_path):
    files = [tmp_path / "first.csv", tmp_path / "second.csv"]
    for seed in (0, 1):
        for file, own in zip(files, (0, seed), strict=True):
            write_annotations(["a.jpg"], random_poses(1, own), file)
        estimator = ESTIMATORS["annotations"](files=[str(file) for file in files])
        if seed == 0:
            assert len(estimator.estimate(pd.DataFrame({"image": ["a.jpg"]}))) == 1, "twice the same"
            continue
        with pytest.raises(InputError, match=r"second.csv: a.jpg has another pose than a.jpg in .*first.csv: leave"):
            estimator.estimate(pd.DataFrame({"image": ["a.jpg"]}))


def test_truth_reads_the_delivered_joints(tiny_zip):
    people = DATASETS["streets"](tiny_zip).tables["train"].head(5)
    with zipfile.ZipFile(tiny_zip) as archive:
        known = {record["image"]: record for record in json.loads(archive.read("truth.json"))["images"]}
    pose, in_sight = Truth().estimate(people), Truth(only_in_sight=True).estimate(people)
    for row, image in enumerate(people["image"]):
        torch.testing.assert_close(pose.joints[row], torch.tensor(known[image]["joints"]))
        assert in_sight.visible[row].int().tolist() == [
            int(seen and -0.5 < x < 63.5 and -0.5 < y < 127.5)
            for seen, (x, y) in zip(known[image]["visible"], known[image]["joints"], strict=True)
        ]
    assert (pose.visible | ~in_sight.visible).all()


@pytest.mark.slow
def test_blazepose_finds_rendered_people(tiny_zip):
    people = DATASETS["streets"](tiny_zip).tables["train"][::2].reset_index(drop=True)
    found = ESTIMATORS["blazepose"](processes=1).estimate(people)
    truth = Truth(only_in_sight=True).estimate(people)
    error = (found.joints - truth.joints).norm(dim=-1)[truth.visible]
    assert error.median() < 4, "pixels, of 128"
    assert found.has_torso().float().mean() > 0.9
    assert len(JOINTS) == found.joints.shape[1]

    some = ESTIMATORS["blazepose"](processes=2).estimate(people.head(6))
    assert torch.equal(some.joints, found.joints[:6]), "whatever the number of processes and the other images"


@pytest.mark.slow
def test_blazepose_finds_nobody_in_noise(tmp_path):
    from PIL import Image

    noise = torch.randint(0, 256, (128, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    Image.fromarray(noise.numpy()).save(tmp_path / "noise.png")
    images = pd.DataFrame({"archive": [str(tmp_path)], "image": ["noise.png"]})
    assert not ESTIMATORS["blazepose"](processes=1).estimate(images).visible.any()


def test_blazepose_sees_wide_images_whole():
    seen = []

    class Looking(Landmarker):
        def __init__(self):
            self.padding = 1.3

        def _run(self, square):
            seen.append(square)
            return np.zeros((len(JOINTS), 2)), 1.0

    image = np.full((64, 512, 3), 50, np.uint8)
    image[:, :32], image[:, -32:] = 250, 150
    joints, _ = Looking()(image)
    assert [seen[0][128, column, 0] for column in (4, 128, 251)] == [250, 50, 150]
    middle = (joints[:, 0] - 255.5) / 512  # the mean of the first and the last column of the square
    assert np.abs(middle).max() < 0.01


def test_skeleton_draws_visible_joints_only():
    pose = random_poses(1, 0, missing=0)[0]
    image = np.zeros((128, 64, 3), np.uint8)
    drawn = skeleton(image, pose, scale=2).reshape(-1, 3)
    assert (drawn == RIGHT).all(1).any()
    assert (drawn == LEFT).all(1).any()
    hidden = type(pose)(pose.joints, torch.zeros_like(pose.visible))
    assert not skeleton(image, hidden).any()


WRONG_JOINTS = {
    "null": "a.jpg: [null" + ", 1" * 17 + "]: [1" + ", 1" * 17 + "]",
    "NaN": "a.jpg: [NaN" + ", 1" * 17 + "]: [1" + ", 1" * 17 + "]",
    "infinite": "a.jpg: [1e999" + ", 1" * 17 + "]: [1" + ", 1" * 17 + "]",
    "nested": "a.jpg: [[1]" + ", 1" * 17 + "]: [1" + ", 1" * 17 + "]",
}


@pytest.mark.parametrize("kind", WRONG_JOINTS)
def test_annotated_joints_are_numbers(tmp_path, kind):
    (path := tmp_path / "joints.csv").write_text("name:keypoints_y:keypoints_x\n" + WRONG_JOINTS[kind])
    with pytest.raises(InputError, match="joints.csv:2: expected `name:"):
        read_annotations(path)


def test_an_image_has_one_pose(tmp_path):
    lines = ["a.jpg: " + str([y] * 18) + ": " + str([7] * 18) for y in (5, 5, 6)]
    (path := tmp_path / "joints.csv").write_text("name:keypoints_y:keypoints_x\n" + "\n".join(lines[:2]))
    assert list(read_annotations(path)) == ["a.jpg"], "the same pose twice does no harm"
    path.write_text("name:keypoints_y:keypoints_x\n" + "\n".join(lines))
    with pytest.raises(InputError, match="joints.csv:4: .* another pose of this image before"):
        read_annotations(path)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"joints": [[1, None]] * 18}, r"truth.json: expected `images`, .*TypeError"),
        ({"joints": [[1, float("nan")]] * 18}, "a joint of a.png is no finite number"),
        ({"joints": [[1, 2]] * 17}, r"has \(17, 2\) joints"),
        ({"visible": [1] * 3}, r"\(3,\) of `visible`"),
        ({}, "a.png is there twice"),
        ({"image": "b.png"}, "expected joints of each image in truth.json, a.png has none"),
    ],
)
def test_true_joints_are_numbers(tmp_path, record, message):
    right = {"image": "a.png", "joints": [[1, 2]] * 18, "visible": [1] * 18}
    Image.new("RGB", (64, 128)).save(tmp_path / "a.png")
    records = [right | record] if record else [right, right]
    (tmp_path / "truth.json").write_text(json.dumps({"images": records}))
    table = pd.DataFrame({"image": ["a.png"], "archive": [str(tmp_path)]})
    with pytest.raises(InputError, match=message):
        ESTIMATORS["truth"]().estimate(table)


def test_doubts_about_poses():
    poses, sizes = random_poses(50, 0), [(128, 64)] * 50
    assert doubts(poses, sizes) == []
    (larger,) = doubts(Pose(4 * poses.joints, poses.visible), sizes)
    assert "are outside their image: were they found in images of another size?" in larger
    (shares,) = doubts(Pose(poses.joints / 128, poses.visible), sizes)
    assert "lie in 0..1: are they shares" in shares
    zero = poses.joints.clone()
    zero[:10, 3:6] = 0
    (missing,) = doubts(Pose(zero, torch.ones_like(poses.visible)), sizes)
    assert missing.startswith("30 of 900 known joints are at exactly (0, 0)")
    (nothing,) = doubts(Pose(poses.joints, torch.zeros_like(poses.visible)), sizes)
    assert nothing.startswith("50 of 50 images have no known joint")


def test_an_image_that_is_twice_in_the_table_is_refused(tmp_path):
    """It would shift the poses of all images after it."""
    table.write(["a.jpg", "b.jpg", "a.jpg"], [(128, 64)] * 3, random_poses(3, 0), tmp_path / "poses.parquet")
    with pytest.raises(InputError, match="expected one pose of each image, a.jpg has several"):
        table.read(tmp_path / "poses.parquet", ["a.jpg", "b.jpg"], (128, 64))
