"""Poses in COCO's format, against its published order of keypoints and a joint looked up by hand."""

import torch

from augment.poses import INDEX, Pose
from augment.poses.coco import KEYPOINTS, PERSON, coco

# https://cocodataset.org/#keypoints-2017, in the words of COCO's annotation files.
PUBLISHED = [
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
]  # fmt: skip


def test_keypoints_are_in_the_published_order():
    assert list(KEYPOINTS) == PUBLISHED


def test_each_person_is_one_annotation():
    joints = torch.arange(2 * 18 * 2, dtype=torch.float32).reshape(2, 18, 2) / 3
    visible = torch.ones(2, 18, dtype=torch.bool)
    visible[1, INDEX["left_knee"]] = False
    made = coco(["a.jpg", "b.jpg"], [(128, 64), (100, 50)], Pose(joints, visible), [{"identity": 7}, {"identity": 8}])
    assert made["images"][1] == {"id": 2, "file_name": "b.jpg", "height": 100, "width": 50}
    first, second = made["annotations"]
    assert (first["identity"], first["num_keypoints"], second["num_keypoints"]) == (7, 17, 16)
    assert second["bbox"] == [0, 0, 50, 100]
    place = 3 * PUBLISHED.index("right_wrist")
    x, y = joints[1, INDEX["right_wrist"]].tolist()
    assert second["keypoints"][place : place + 3] == [round(x, 2), round(y, 2), 2]
    hidden = 3 * PUBLISHED.index("left_knee")
    assert second["keypoints"][hidden : hidden + 3] == [0, 0, 0]


def test_the_skeleton_joins_neighbours():
    limbs = {frozenset(PUBLISHED[end - 1] for end in limb) for limb in PERSON["skeleton"]}
    assert len(limbs) == len(PERSON["skeleton"]) == 17
    assert {"left_knee", "left_ankle"} in limbs
    assert {"left_shoulder", "right_shoulder"} in limbs
    assert set().union(*limbs) == set(PUBLISHED)
