"""Meshes of bags, umbrellas and bicycles.

Convention: metres, in the coordinates of the person at rest: x to their left, they face -y, z up.
"""

from __future__ import annotations

import numpy as np

from augment.streets.meshes import Faces, Points, box, joined, rounded, tube

WHEEL = 0.33  # radius of the bicycle's wheels
SADDLE, CRANK = (0.0, 0.16, 0.86), (0.0, -0.06, 0.29)  # in the bicycle, whose middle on the ground is the origin
HANDLES = (0.27, -0.42, 1.02)  # the left handle; the right one has -x
PEDAL = 0.17  # length of a crank arm


def bag(kind: str, back: float, hip: float, neck: float, side: float, size: float) -> tuple[Points, Faces]:
    """A backpack or shoulder bag, where it is worn, or a hand bag that hangs below the origin.

    Args:
        kind: backpack, shoulder or hand.
        back: y of the wearer's back.
        hip: z of the hips.
        neck: z of the neck.
        side: x of the shoulder bag; negative on the right.
        size: factor of the bag's size, about 1.
    """
    if kind == "backpack":
        return rounded((0.14 * size, 0.08 * size, 0.2 * size), np.array([0, back + 0.055, neck - 0.25]), 0.5)
    if kind == "shoulder":
        return rounded((0.05 * size, 0.14 * size, 0.11 * size), np.array([side, 0.03, hip + 0.03]), 0.4)
    body = rounded((0.05 * size, 0.14 * size, 0.15 * size), np.array([0, 0, -0.30]), 0.35)
    return joined([body, tube((0, -0.06, -0.16), (0, 0, 0), 0.008), tube((0, 0.06, -0.16), (0, 0, 0), 0.008)])


def umbrella() -> tuple[Points, Faces]:
    """An open umbrella; the hand is at the origin."""
    spokes, rings = 16, 4
    angle = np.arange(spokes) * 2 * np.pi / spokes
    outward = np.linspace(0, 1, rings + 1)[1:]  # from the tip to the rim
    radius = 0.5 * np.sin(outward * np.pi / 2.4)
    height = 0.78 - 0.24 * (1 - np.cos(outward * np.pi / 2.4))
    points = np.stack(
        [np.outer(radius, np.cos(angle)), np.outer(radius, np.sin(angle)), np.repeat(height[:, None], spokes, 1)], -1
    )
    vertices = np.concatenate([[[0, 0, 0.80]], points.reshape(-1, 3)])
    spoke = np.arange(spokes)
    neighbour = (spoke + 1) % spokes
    faces = [np.stack([0 * spoke, 1 + spoke, 1 + neighbour], 1)]
    for ring in range(rings - 1):
        a, b = 1 + ring * spokes + spoke, 1 + ring * spokes + neighbour
        faces += [np.stack([a, a + spokes, b], 1), np.stack([b, a + spokes, b + spokes], 1)]
    return joined([(vertices, np.concatenate(faces)), tube((0, 0, -0.1), (0, 0, 0.8), 0.008)])


def bicycle(sides: int = 20) -> tuple[Points, Faces]:
    """A city bicycle on the ground z = 0, its front towards -y; its wheels are polygons with `sides` corners."""
    parts = []
    front, rear = np.array([0, -0.54, WHEEL]), np.array([0, 0.52, WHEEL])
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    circle = np.stack([0 * angle, np.cos(angle), np.sin(angle)], -1)
    for hub in (front, rear):
        rim = hub + WHEEL * circle
        parts += [tube(rim[i], rim[i + 1], 0.022, sides=4) for i in range(sides)]
        parts += [tube(hub - WHEEL * spoke, hub + WHEEL * spoke, 0.004, sides=3) for spoke in circle[: sides // 2 : 2]]
    crank, seat, head = np.array(CRANK), np.array([0, 0.13, 0.74]), np.array([0, -0.40, 0.80])
    low = head - (0, 0, 0.12)
    for start, end in ((rear, crank), (crank, seat), (seat, head), (crank, low), (rear, seat), (head, front)):
        parts.append(tube(start, end, 0.02))
    parts += [tube(seat, SADDLE, 0.014), tube(head, (0, -0.38, HANDLES[2]), 0.014)]
    parts.append(tube((-HANDLES[0], HANDLES[1], HANDLES[2]), HANDLES, 0.015))
    parts.append(box((0.14, 0.26, 0.05), SADDLE))
    parts.append(box((0.26, 0.2, 0.17), (0, -0.64, 0.86)))  # basket
    parts.append(box((0.09, 0.34, 0.02), (0, 0.55, 0.71)))  # carrier
    return joined(parts)
