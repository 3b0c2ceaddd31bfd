"""Stances of people as joint angles: walking, standing, gestures. Angles are in degrees.

A limb is given by its direction relative to what it hangs from (for thighs and upper arms the trunk), so that a stance
does not depend on the rest pose of the body model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from augment.streets.body import Body, Rotations, Shape, turn

SIDES = {"L": 1.0, "R": -1.0}  # x is the person's left
# Joint angles at each tenth of an adult's stride, from one heel strike to the next (normative gait curves, rounded from
# the textbook figures of J. Perry, Gait Analysis, 1992): flexion of hip and knee, dorsiflexion (toes up) of the ankle.
STRIDE = np.linspace(0, 1, 11)
HIP = np.array([30, 25, 17, 8, -2, -9, -5, 13, 27, 33, 30], float)
KNEE = np.array([5, 15, 15, 9, 5, 10, 35, 60, 55, 22, 5], float)
ANKLE = np.array([0, -5, 3, 7, 10, 8, -15, -10, 0, 1, 0], float)


@dataclass(frozen=True)
class Leg:
    """Thigh `forward` and `outward` from straight down, flexion of the knee, dorsiflexion of the ankle."""

    forward: float = 0.0
    outward: float = 3.0
    knee: float = 4.0
    ankle: float = 0.0


@dataclass(frozen=True)
class Arm:
    """Upper arm `forward` and `outward` from straight down, flexion of the elbow, forearm turned `inward`."""

    forward: float = 0.0
    outward: float = 8.0
    elbow: float = 18.0
    inward: float = 12.0


@dataclass(frozen=True)
class Stance:
    """One moment of a person's movement.

    Args:
        name: what the person does, in words.
        legs: by side, L and R.
        arms: by side, L and R.
        lean: of the trunk, forward.
        twist: of the shoulders relative to the hips, to the left.
        nod: of the head, forward.
        look: of the head, to the left.
        seat: height of the hip joints in metres where the person sits on something; None where they stand.
    """

    name: str
    legs: dict[str, Leg]
    arms: dict[str, Arm]
    lean: float = 2.0
    twist: float = 0.0
    nod: float = 4.0
    look: float = 0.0
    seat: float | None = None


def walking(random: np.random.Generator) -> Stance:
    """A random moment of a stride at a random pace; each arm swings with the opposite leg."""
    pace = random.uniform(0.55, 1.1)
    phase = random.uniform()
    swing = pace * random.uniform(10, 24)
    bend = random.uniform(8, 26)
    legs, arms = {}, {}
    for side, start in (("L", 0.0), ("R", 0.5)):
        moment = (phase + start) % 1
        hip, knee, ankle = (float(np.interp(moment, STRIDE, curve)) for curve in (HIP, KNEE, ANKLE))
        legs[side] = Leg(pace * hip, random.uniform(1, 4), 3 + pace * (knee - 3), pace * ankle)
        forward = -swing * np.cos(2 * np.pi * moment)
        arms[side] = Arm(forward + 3, random.uniform(4, 10), bend + 0.6 * max(forward, 0), random.uniform(5, 20))
    twist = 0.2 * swing * np.cos(2 * np.pi * phase)
    return Stance("walk", legs, arms, random.uniform(0, 6), twist, random.uniform(-2, 12), random.normal(0, 12))


def standing(random: np.random.Generator) -> Stance:
    """Standing, with the weight on both legs or on one."""
    legs = {side: Leg(random.uniform(-4, 4), random.uniform(2, 7), random.uniform(1, 8)) for side in SIDES}
    if random.random() < 0.5:
        loose = "L" if random.random() < 0.5 else "R"
        bend = random.uniform(12, 28)
        legs[loose] = Leg(0.8 * bend, random.uniform(4, 10), bend, 0.3 * bend)
    arms = {
        side: Arm(random.uniform(-6, 6), random.uniform(4, 11), random.uniform(6, 24), random.uniform(5, 25))
        for side in SIDES
    }
    return Stance(
        "stand", legs, arms, random.uniform(-1, 4), random.normal(0, 5), random.uniform(-2, 14), random.normal(0, 20)
    )


def with_phone(random: np.random.Generator, stance: Stance, sides: list[str]) -> Stance:
    """The stance, with a telephone at the ear or read in the hand, by the first of the free `sides`."""
    if random.random() < 0.4:
        arm = Arm(random.uniform(60, 80), random.uniform(15, 30), 150, -15)
        return _changed(stance, "talk on the phone", {sides[0]: arm})
    arm = Arm(random.uniform(12, 28), random.uniform(3, 10), random.uniform(85, 105), 28)
    return replace(_changed(stance, "read the phone", {sides[0]: arm}), nod=random.uniform(18, 30), look=0.0)


def with_pockets(random: np.random.Generator, stance: Stance, sides: list[str]) -> Stance:
    """The stance, with one hand in its pocket, or all free ones."""
    used = sides if random.random() < 0.5 else sides[:1]
    return _changed(stance, "hands in pockets", {side: Arm(-16, random.uniform(15, 22), 42, 30) for side in used})


def with_crossed_arms(random: np.random.Generator, stance: Stance, sides: list[str]) -> Stance:
    """The stance, with crossed arms."""
    return _changed(stance, "cross the arms", {side: Arm(random.uniform(14, 22), 14, 98, 72) for side in sides})


def with_strap(random: np.random.Generator, stance: Stance, sides: list[str]) -> Stance:
    """The stance, with a hand at the strap of a bag."""
    return _changed(stance, "hold the strap", {sides[0]: Arm(random.uniform(4, 12), 12, 135, 25)})


def with_umbrella(stance: Stance, side: str) -> Stance:
    """The stance, with an umbrella held up in front of the shoulder."""
    return _changed(stance, "hold an umbrella", {side: Arm(22, 8, 105, 5)})


def with_hand_bag(random: np.random.Generator, stance: Stance, side: str) -> Stance:
    """The stance, with a bag hanging from a straight arm."""
    return _changed(stance, "carry a bag", {side: Arm(random.uniform(-4, 6), random.uniform(8, 13), 5, 4)})


def pushing(random: np.random.Generator, side: str) -> Stance:
    """Walking with a bicycle on one `side`, both hands at its handle bar."""
    arms = {other: Arm(34, 6, 24, 6) if other == side else Arm(30, 2, 40, 30) for other in SIDES}
    return replace(walking(random), name="push a bicycle", arms=arms)


def _changed(stance: Stance, name: str, arms: dict[str, Arm]) -> Stance:
    return replace(stance, name=f"{stance.name}, {name}", arms=stance.arms | arms)


GESTURES = {  # shares, for a person with both hands free and a bag with a strap; others lack some gestures
    None: 0.52,
    with_phone: 0.20,
    with_pockets: 0.16,
    with_strap: 0.08,
    with_crossed_arms: 0.04,
}


def draw(random: np.random.Generator, busy: str | None = None, strap: bool = False) -> Stance:
    """A pedestrian's random stance: three in four walk, about half make a gesture.

    Args:
        random: draws the stance.
        busy: the side, L or R, of a hand that holds something.
        strap: whether the person has a bag with a strap.
    """
    stance = walking(random) if random.random() < 0.75 else standing(random)
    sides = [side for side in SIDES if side != busy]
    if random.random() < 0.5:
        sides.reverse()
    impossible = {gesture for gesture, possible in ((with_strap, strap), (with_crossed_arms, not busy)) if not possible}
    shares = {gesture: share for gesture, share in GESTURES.items() if gesture not in impossible}
    weights = np.array(list(shares.values()))
    gesture = list(shares)[random.choice(len(shares), p=weights / weights.sum())]
    return stance if gesture is None else gesture(random, stance, sides)


def pointing(forward: float, outward: float, side: str) -> NDArray[np.floating]:
    """(3,) unit vector along a limb with these angles; at 0, 0 it hangs straight down."""
    ahead, aside = np.radians(forward), np.radians(outward)
    return np.array([SIDES[side] * np.sin(aside), -np.sin(ahead) * np.cos(aside), -np.cos(ahead) * np.cos(aside)])


def aligned(old: NDArray[np.floating], new: NDArray[np.floating]) -> NDArray[np.floating]:
    """(3, 3) the smallest rotation that turns direction `old` to `new`."""
    old, new = old / np.linalg.norm(old), new / np.linalg.norm(new)
    axis = np.cross(old, new)
    sine, cosine = np.linalg.norm(axis), float(old @ new)
    return np.eye(3) if sine < 1e-9 else turn(tuple(axis), np.degrees(np.arctan2(sine, cosine)))


def rotations(body: Body, shape: Shape, stance: Stance) -> Rotations:
    """The rotation of each bone that brings a person from rest to a stance."""
    head = {bone: shape.heads[number] for bone, number in body.bone.items()}
    result: Rotations = {
        "spine05": turn((1, 0, 0), 0.6 * stance.lean),
        "spine03": turn((0, 0, 1), stance.twist) @ turn((1, 0, 0), 0.4 * stance.lean),
        "neck01": turn((1, 0, 0), 0.5 * stance.nod),
        "head": turn((0, 0, 1), stance.look) @ turn((1, 0, 0), 0.5 * stance.nod),
    }
    for side, leg in stance.legs.items():
        thigh = aligned(
            head[f"lowerleg01.{side}"] - head[f"upperleg01.{side}"], pointing(leg.forward, leg.outward, side)
        )
        shank = aligned(
            head[f"foot.{side}"] - head[f"lowerleg01.{side}"], pointing(leg.forward - leg.knee, leg.outward, side)
        )
        result[f"upperleg01.{side}"] = thigh
        result[f"lowerleg01.{side}"] = thigh.T @ shank
        # The foot rotates with the shank, and by the ankle's angle.
        foot = turn((1, 0, 0), -(leg.forward - leg.knee + leg.ankle))
        result[f"foot.{side}"] = shank.T @ foot
    for side, arm in stance.arms.items():
        upper = aligned(
            head[f"lowerarm01.{side}"] - head[f"upperarm01.{side}"], pointing(arm.forward, arm.outward, side)
        )
        # At the elbow the forearm bends forward, perpendicular to the upper arm; `inward` rotates that direction about
        # the upper arm.
        along = pointing(arm.forward, arm.outward, side)
        across = np.cross(np.cross(along, (0.0, -1.0, 0.0)), along)
        if abs(along[1]) > 0.95:
            across = np.array([0.0, 0.0, 1.0])
        across /= np.linalg.norm(across)
        bend = turn(tuple(along), SIDES[side] * arm.inward) @ across
        angle = np.radians(arm.elbow)
        fore = np.cos(angle) * along + np.sin(angle) * bend
        lower = aligned(head[f"wrist.{side}"] - head[f"lowerarm01.{side}"], fore)
        result[f"upperarm01.{side}"] = upper
        result[f"lowerarm01.{side}"] = upper.T @ lower
    return result
