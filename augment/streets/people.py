"""People: a body shape and an outfit, and the solids and joints that they have at a moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from augment.streets import stance as stances
from augment.streets.belongings import bag, bicycle, umbrella
from augment.streets.body import load_body, skin
from augment.streets.cycling import cycling, saddle_offset
from augment.streets.fabric import Fabric
from augment.streets.garments import dress
from augment.streets.measures import measure
from augment.streets.meshes import Points
from augment.streets.outfit import Shop, draw_outfit
from augment.streets.solids import Paint, Solid, moved
from augment.streets.stance import SIDES, Stance
from reid.randomness.seeds import seed_for

JOINTS = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear",
)  # fmt: skip
CLOTH = ("top", "bottom")  # materials with fine folds
# Of the pictures of people who have a bicycle: the share in which they ride it, and in which they push it. Of those of
# people who have an umbrella: the share in which it is up.
RIDES, PUSHES, UMBRELLAS = 0.3, 0.15, 0.5
Use = Literal["", "ride", "push", "umbrella"]


@dataclass(frozen=True)
class Posed:
    """A person at a moment, in world coordinates (see `scene`).

    Args:
        solids: the body, clothes and belongings.
        joints: (18, 3) in the order of JOINTS.
        activity: what they do, in words.
    """

    solids: list[Solid]
    joints: Points
    activity: str

    def outline(self) -> Points:
        """(N, 3) all vertices of the person, without bicycle and umbrella."""
        return np.concatenate([solid.vertices for solid in self.solids if solid.of_person])


class Person:
    """A person with one body, outfit and bag, who looks the same in all pictures."""

    def __init__(
        self,
        seed: int,  # of the data set
        number: int | str,  # or name of the person; the same one gives the same person
        shop: Shop,  # where some of the clothes come from
    ):
        random = np.random.default_rng(seed_for(seed, "person", number))
        self.body = load_body()
        self.shape = self.body.shape(random)
        self.outfit = draw_outfit(random, shop, self.shape.female, self.shape.ancestry)
        self.at = measure(self.body, self.shape)
        self.parts = dress(self.body, self.shape, self.outfit, self.at)
        self.paints = Fabric(self.body, self.shape, self.outfit, self.at).paints()
        self._bag_size = float(random.uniform(0.85, 1.15))

    def moment(self, random: np.random.Generator, yaw: float, position: tuple[float, float]) -> Posed:
        """The person in a random stance, in an activity that their belongings allow.

        Args:
            random: draws activity and stance.
            yaw: direction in degrees; at 0 they face -y, at 90 +x.
            position: (x, y) on the ground, in metres.
        """
        chance = random.random()
        if self.outfit.vehicle and chance < RIDES:
            return self._posed(cycling(self.body, self.shape, random), yaw, position, "ride")
        if self.outfit.vehicle and chance < RIDES + PUSHES:
            return self._posed(stances.pushing(random, self.outfit.side), yaw, position, "push")
        strap, side = self.outfit.bag in ("backpack", "shoulder"), self.outfit.side
        if self.outfit.umbrella is not None and chance > 1 - UMBRELLAS:
            stance = stances.with_umbrella(stances.draw(random, side, strap), side)
            return self._posed(stance, yaw, position, "umbrella")
        if self.outfit.bag == "hand":
            return self._posed(stances.with_hand_bag(random, stances.draw(random, side), side), yaw, position, "")
        return self._posed(stances.draw(random, None, strap), yaw, position, "")

    def _posed(self, stance: Stance, yaw: float, position: tuple[float, float], uses: Use) -> Posed:
        """The person in a stance, with what they use, standing on the ground at a position."""
        transforms = self.body.transforms(self.shape, stances.rotations(self.body, self.shape, stance))
        solids = []
        for material, mesh in self.parts:
            vertices = skin(mesh.vertices, mesh.weights, transforms)
            solids.append(
                Solid(
                    vertices, mesh.faces, mesh.vertices, self.paints[material], cloth=material in CLOTH, of_person=True
                )
            )
        solids += self._carried(transforms, uses)
        joints = self._joints(transforms)
        hip = self.shape.heads[self.body.bone["upperleg01.L"]]
        lowest = min(float(solid.vertices[:, 2].min()) for solid in solids if solid.of_person)
        ground = lowest if stance.seat is None else hip[2] - stance.seat  # its z below the person at rest
        if uses in ("ride", "push"):
            aside = (0.42 * SIDES[self.outfit.side] if uses == "push" else 0, 0, 0)
            vertices, faces = bicycle()
            vertices = vertices + saddle_offset(self.body, self.shape) * (1, 1, 0) + (0, 0, ground) + aside
            solids.append(Solid(vertices, faces, vertices, _even(self.outfit.vehicle_colour), smooth=False))
        where = np.array([*position, 0.0])

        def placed(points: Points) -> Points:
            return moved(points - (0, 0, ground), yaw, where)

        placed_solids = [replace(solid, vertices=placed(solid.vertices)) for solid in solids]
        return Posed(placed_solids, placed(joints), stance.name)

    def _carried(self, transforms: NDArray[np.floating], uses: Use) -> list[Solid]:
        """The bag and the umbrella, if any, of a person whose bones have these maps."""
        kind, at, side = self.outfit.bag, self.at, SIDES[self.outfit.side]
        elbow, wrist = (self.body.bone[f"{bone}.{self.outfit.side}"] for bone in ("lowerarm01", "wrist"))
        hand = self.shape.heads[wrist] + 0.35 * (self.shape.heads[wrist] - self.shape.heads[elbow])
        hand = transforms[wrist][:, :3] @ hand + transforms[wrist][:, 3]
        solids = []
        if kind != "none" and not (kind == "hand" and uses):
            trunk = self.shape.vertices[np.unique(self.body.faces["tights"])]
            near = np.abs(trunk[:, 2] - at.hip) < 0.06
            width = side * (np.abs(trunk[near & (np.abs(trunk[:, 0]) < 0.3), 0]).max() + 0.05)
            back = trunk[np.abs(trunk[:, 0]) < 0.12, 1].max()
            rest, faces = bag(kind, back, at.hip, at.neck[2], width, self._bag_size)
            if kind == "hand":
                vertices = rest + hand
            else:
                bone = transforms[self.body.bone["spine03" if kind == "backpack" else "root"]]
                vertices = rest @ bone[:, :3].T + bone[:, 3]
            solids.append(Solid(vertices, faces, rest, self.paints["bag"], of_person=True))
        if uses == "umbrella" and self.outfit.umbrella is not None:
            rest, faces = umbrella()
            solids.append(Solid(rest + hand, faces, rest, _even(self.outfit.umbrella)))
        return solids

    def _joints(self, transforms: NDArray[np.floating]) -> Points:
        """(18, 3) joints of a person whose bones have these maps; the neck is the middle of the shoulders."""
        keypoints = skin(self.shape.keypoints, self.body.keypoint_weights, transforms)
        joints = {name: keypoints[number] for name, number in self.body.keypoint.items()}
        joints["neck"] = (joints["left_shoulder"] + joints["right_shoulder"]) / 2
        return np.stack([joints[name] for name in JOINTS])


def _even(colour: NDArray[np.floating]) -> Paint:
    return lambda places: np.broadcast_to(colour, places.shape)
