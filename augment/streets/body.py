"""The body model: shapes of adults, a skeleton of bones, and linear blend skinning.

Convention: metres; a person at rest stands in an A-pose (arms held off the body); x is towards their left, they face
-y, z is up. The model's data is `body.npz`, made by tools/build_body.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from augment.streets.meshes import Faces, Mesh, Points, compact

ASSET = Path(__file__).with_name("body.npz")
# Name of a bone: (3, 3) its rotation relative to its parent, in the axes of the rest pose.
Rotations = dict[str, NDArray[np.floating]]


@dataclass(frozen=True)
class Shape:
    """One person's body at rest.

    Args:
        vertices: (V, 3) vertices of all meshes of the model, also of the helper meshes that clothes are made from.
        heads: (B, 3) the joint about which each bone rotates.
        keypoints: (K, 3) positions of the joints and facial points that poses consist of.
        female: whether the body is a woman's.
        ancestry: of the model's three: 0 African, 1 Asian, 2 Caucasian.
    """

    vertices: Points
    heads: Points
    keypoints: Points
    female: bool
    ancestry: int


class Body:
    """A linear model of adults' shapes (principal components), with linear blend skinning.

    `bones` and `keypoints` are lists of names; `bone` and `keypoint` map a name to its index.
    """

    def __init__(self) -> None:
        with np.load(ASSET) as data:
            names = json.loads(str(data["names"]))
            self.bones: list[str] = names["bones"]
            self.keypoints: list[str] = names["keypoints"]
            self.parents = [int(parent) for parent in data["bone_parents"]]
            self.faces: dict[str, Faces] = {
                name.removeprefix("faces_"): data[name].astype(np.int64)
                for name in data.files
                if name.startswith("faces_")
            }
            self._mean = data["mean"].astype(np.float64)
            self._components = data["components"].astype(np.float64)
            self._coefficients = data["coefficients"].astype(np.float64)
            self._female = data["female"]
            self._ancestry = data["ancestry"]
            weights = data["weights"].astype(np.float64)
        weights /= weights.sum(1, keepdims=True)
        count = len(weights) - len(self.keypoints)
        self.weights, self.keypoint_weights = weights[:count], weights[count:]
        self.bone = {name: number for number, name in enumerate(self.bones)}
        self.keypoint = {name: number for number, name in enumerate(self.keypoints)}

    def shape(self, random: np.random.Generator) -> Shape:
        """A new adult: a mixture of two of the model's people, who have the same sex and ancestry."""
        first = int(random.integers(len(self._coefficients)))
        alike = np.flatnonzero((self._female == self._female[first]) & (self._ancestry == self._ancestry[first]))
        second = int(random.choice(alike))
        share = random.uniform(0, 0.5)
        coefficients = (1 - share) * self._coefficients[first] + share * self._coefficients[second]
        points = self._mean + np.tensordot(coefficients, self._components, 1)
        vertices, heads, keypoints = np.split(points, [len(self.weights), len(self.weights) + len(self.bones)])
        return Shape(vertices, heads, keypoints, bool(self._female[first]), int(self._ancestry[first]))

    def mesh(self, shape: Shape, name: str, vertices: Points | None = None) -> Mesh:
        """The mesh of this name in `faces`, in a person's shape or with other positions (V, 3) of all vertices."""
        return compact(Mesh(shape.vertices if vertices is None else vertices, self.faces[name], self.weights))

    def of(self, name: str, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """Those of the values (V,) that belong to vertices of the mesh of this name, in the order of `mesh`."""
        return values[np.unique(self.faces[name])]

    def share(self, *bones: str) -> NDArray[np.floating]:
        """(V,) how much each vertex moves with these bones: the sum of their skinning weights."""
        return self.weights[:, [self.bone[bone] for bone in bones]].sum(1)

    def transforms(self, shape: Shape, rotations: Rotations) -> NDArray[np.floating]:
        """(B, 3, 4) each bone's affine map from rest to a pose: its rotation about its head, then its parents' maps."""
        result = np.empty((len(self.bones), 3, 4))
        for bone, parent in enumerate(self.parents):
            turn = rotations.get(self.bones[bone], np.eye(3))
            head = shape.heads[bone]
            of_parent = result[parent] if parent >= 0 else np.eye(3, 4)
            result[bone, :, :3] = of_parent[:, :3] @ turn
            result[bone, :, 3] = of_parent[:, :3] @ (head - turn @ head) + of_parent[:, 3]
        return result


def skin(points: Points, weights: NDArray[np.floating], transforms: NDArray[np.floating]) -> Points:
    """Linear blend skinning: points (N, 3) moved by the mean, with weights (N, B), of the bones' maps (B, 3, 4)."""
    mixed = (weights @ transforms.reshape(len(transforms), 12)).reshape(-1, 3, 4)
    return np.einsum("nij,nj->ni", mixed[:, :, :3], points) + mixed[:, :, 3]


@cache
def load_body() -> Body:
    """The body model, read once in a process."""
    return Body()


def turn(axis: tuple[float, float, float], degrees: float) -> NDArray[np.floating]:
    """(3, 3) right-handed rotation about an axis (x, y, z)."""
    x, y, z = np.asarray(axis, float) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
