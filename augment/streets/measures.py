"""Landmarks of a body at rest, relative to which clothes, hair and colours are placed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augment.streets.body import Body, Shape
from augment.streets.meshes import Points

Values = NDArray[np.floating]  # (V,) one number for each vertex of the body model
Point = NDArray[np.floating]  # (3,)
ARM, LEG = ("upperarm01", "lowerarm01", "wrist"), ("upperleg01", "lowerleg01", "foot")


@dataclass(frozen=True)
class Measures:
    """Landmarks of a body at rest, in metres.

    Args:
        scale: the body's height divided by 1.7 m.
        hip: z of the hip joints.
        neck: (3,) the lower end of the neck.
        eyes: (3,) the middle of the eyes.
        ears: (3,) the middle of the ears.
        ankle: z of the ankle joints.
        floor: z of the soles.
        arm: (V,) position along the arms: 0 at the shoulder, 1 at the elbow, 2 at the wrist.
        leg: (V,) position along the legs: 0 at the hip, 1 at the knee, 2 at the ankle.
        on_arm: (V,) skinning weight of the arms' bones.
        on_leg: (V,) skinning weight of the legs' bones.
        on_head: (V,) skinning weight of the head's bone.
    """

    scale: float
    hip: float
    neck: Point
    eyes: Point
    ears: Point
    ankle: float
    floor: float
    arm: Values
    leg: Values
    on_arm: Values
    on_leg: Values
    on_head: Values


def measure(body: Body, shape: Shape) -> Measures:
    """Measure a body's landmarks."""
    head = {bone: shape.heads[number] for bone, number in body.bone.items()}
    point = {name: shape.keypoints[number] for name, number in body.keypoint.items()}
    skin = shape.vertices[np.unique(body.faces["body"])]
    low, high = skin[:, 2].min(), skin[:, 2].max()

    eyes = (point["left_eye"] + point["right_eye"]) / 2
    return Measures(
        scale=(high - low) / 1.7,
        hip=(head["upperleg01.L"][2] + head["upperleg01.R"][2]) / 2,
        neck=head["neck01"],
        eyes=eyes,
        ears=(point["left_ear"] + point["right_ear"]) / 2,
        ankle=(head["foot.L"][2] + head["foot.R"][2]) / 2,
        floor=low,
        arm=along(body, shape, shape.vertices, ARM),
        leg=along(body, shape, shape.vertices, LEG),
        on_arm=body.share(*(f"{bone}.{side}" for bone in ARM for side in "LR")),
        on_leg=body.share(*(f"{bone}.{side}" for bone in LEG for side in "LR")),
        on_head=body.share("head"),
    )


def along(body: Body, shape: Shape, vertices: Points, bones: tuple[str, str, str]) -> Values:
    """(N,) position of points along the limb of their side of the body: 0, 1 and 2 at the heads of its three bones."""
    result = np.empty(len(vertices))
    for side, of_side in (("L", vertices[:, 0] >= 0), ("R", vertices[:, 0] < 0)):
        start, middle, stop = (shape.heads[body.bone[f"{bone}.{side}"]] for bone in bones)
        first = (vertices[of_side] - start) @ (middle - start) / ((middle - start) @ (middle - start))
        second = (vertices[of_side] - middle) @ (stop - middle) / ((stop - middle) @ (stop - middle))
        result[of_side] = np.where(first < 1, first, 1 + np.maximum(second, 0))
    return result
