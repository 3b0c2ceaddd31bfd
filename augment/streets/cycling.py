"""The stance of a person on a bicycle, by inverse kinematics: hands at the handle bar, feet on the pedals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from augment.streets.belongings import CRANK, HANDLES, PEDAL, SADDLE
from augment.streets.body import Body, Shape
from augment.streets.stance import SIDES, Arm, Leg, Stance, rotations

SEAT = SADDLE[2] + 0.115  # z of the hip joints of a seated person
SOLE = (0.06, 0.09)  # metres by which the ankle is behind and above the pedal


def saddle_offset(body: Body, shape: Shape) -> NDArray[np.floating]:
    """(3,) position of the bicycle's origin, in the coordinates of the person at rest."""
    hip = shape.heads[body.bone["upperleg01.L"]]
    return np.array([0.0, hip[1] - SADDLE[1] + 0.02, hip[2] - SEAT])


def bend(reach: np.floating, upper: np.floating, lower: np.floating) -> tuple[float, float]:
    """Angles in degrees with which two bones of lengths `upper` and `lower` reach a point at distance `reach`.

    The first is between the upper bone and the line to the point, the second the flexion of the joint between the
    bones. A point out of reach is replaced by the nearest distance that can be reached.
    """
    reach = np.clip(reach, abs(upper - lower) + 1e-3, 0.995 * (upper + lower))
    at_start = np.arccos((upper**2 + reach**2 - lower**2) / (2 * upper * reach))
    inside = np.arccos((upper**2 + lower**2 - reach**2) / (2 * upper * lower))
    return float(np.degrees(at_start)), 180.0 - float(np.degrees(inside))


def cycling(body: Body, shape: Shape, random: np.random.Generator) -> Stance:
    """The stance at a random moment of a ride."""
    head = {bone: shape.heads[number] for bone, number in body.bone.items()}
    origin = saddle_offset(body, shape)
    phase = random.uniform(0, 2 * np.pi)
    legs = {}
    for side, crank_angle in (("L", phase), ("R", phase + np.pi)):
        hip, knee, ankle = (head[f"{bone}.{side}"] for bone in ("upperleg01", "lowerleg01", "foot"))
        pedal = origin[1:] + CRANK[1:] + PEDAL * np.array([np.cos(crank_angle), np.sin(crank_angle)])
        back, up = pedal + SOLE - hip[1:]
        raised, flexed = bend(np.hypot(back, up), np.linalg.norm(knee - hip), np.linalg.norm(ankle - knee))
        legs[side] = Leg(np.degrees(np.arctan2(-back, -up)) + raised, 4.0, flexed, 0.0)
    resting = Stance("ride a bicycle", legs, {side: Arm() for side in SIDES}, random.uniform(12, 26), 0.0,
                     random.uniform(-14, -4), random.normal(0, 10), SEAT)  # fmt: skip
    trunk = body.transforms(shape, rotations(body, shape, resting))[body.bone["spine01"]]
    arms = {}
    for side, sign in SIDES.items():
        shoulder, elbow, wrist = (head[f"{bone}.{side}"] for bone in ("upperarm01", "lowerarm01", "wrist"))
        handle = origin + (sign * HANDLES[0], HANDLES[1] + 0.06, HANDLES[2] + 0.05)
        to_handle = trunk[:, :3].T @ (handle - trunk[:, :3] @ shoulder - trunk[:, 3])  # in the axes of the trunk
        distance = np.linalg.norm(to_handle)
        raised, flexed = bend(distance, np.linalg.norm(elbow - shoulder), np.linalg.norm(wrist - elbow))
        outward = np.degrees(np.arcsin(np.clip(sign * to_handle[0] / distance, -1, 1)))
        arms[side] = Arm(np.degrees(np.arctan2(-to_handle[1], -to_handle[2])) - raised, outward + 4, flexed, 4)
    return Stance(resting.name, legs, arms, resting.lean, 0.0, resting.nod, resting.look, SEAT)
