"""Poses in the format of COCO's keypoints, which annotation tools and pose estimators read.

See https://cocodataset.org/#format-data. COCO has 17 keypoints in an order of its own, and no neck.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from augment.poses.pose import INDEX, Pose

SIDES = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
KEYPOINTS = ("nose", *(f"{side}_{joint}" for joint in SIDES for side in ("left", "right")))
ONE_SIDE = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "shoulder"))
LIMBS = (
    *((f"{side}_{first}", f"{side}_{second}") for first, second in ONE_SIDE for side in ("left", "right")),
    *((f"left_{joint}", f"right_{joint}") for joint in ("hip", "shoulder", "eye")),
    *(("nose", f"{side}_eye") for side in ("left", "right")),
    *((f"{side}_eye", f"{side}_ear") for side in ("left", "right")),
)
PERSON = {
    "id": 1,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(KEYPOINTS),
    "skeleton": [[KEYPOINTS.index(first) + 1, KEYPOINTS.index(second) + 1] for first, second in LIMBS],
}


def coco(
    names: Sequence[str], sizes: Sequence[tuple[int, int]], pose: Pose, about: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The content of an annotation file: images, one person in each, and the category.

    A keypoint is (x, y, v) in pixels, the centre of the top left one at (0, 0); v is 2 where the joint is visible, else
    all three are 0. Each image is a crop around its person, so the person's box is the whole image.

    Args:
        names: of the N images, as files are to be found.
        sizes: (H, W) of each.
        pose: (N, 18) in pixels of these sizes.
        about: further fields of each person's annotation, an identity say.
    """
    order = [INDEX[name] for name in KEYPOINTS]
    seen = pose.visible[:, order].tolist()
    places = pose.joints[:, order].double().round(decimals=2).tolist()
    images, annotations = [], []
    people = zip(names, sizes, places, seen, about, strict=True)
    for number, (name, (height, width), joints, visible, further) in enumerate(people, 1):
        images.append({"id": number, "file_name": name, "height": height, "width": width})
        flat = [
            value
            for (x, y), known in zip(joints, visible, strict=True)
            for value in ((x, y, 2) if known else (0, 0, 0))
        ]
        annotations.append(
            {
                "id": number,
                "image_id": number,
                "category_id": PERSON["id"],
                "bbox": [0, 0, width, height],
                "area": width * height,
                "iscrowd": 0,
                "num_keypoints": sum(visible),
                "keypoints": flat,
                **further,
            }
        )
    return {"images": images, "annotations": annotations, "categories": [PERSON]}
