"""Objects in a scene, in the form in which the renderer takes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augment.streets.meshes import Faces, Points

Colours = NDArray[np.floating]  # (N, 3) linear RGB: the share of the light that is reflected
Paint = Callable[[Points], Colours]  # positions (N, 3) to their colours


@dataclass(frozen=True)
class Solid:
    """A surface of one material, in the world: metres, z up, the ground at z = 0.

    Args:
        vertices: (N, 3).
        faces: (F, 3).
        places: (N, 3) the position of each vertex that its colour depends on; of a person, the position at rest.
        paint: places (M, 3) to colours (M, 3).
        smooth: whether shading interpolates normals, instead of taking those of the triangles.
        cloth: whether it has fine folds.
        of_person: whether it belongs to the mask of its person.
    """

    vertices: Points
    faces: Faces
    places: Points
    paint: Paint
    smooth: bool = True
    cloth: bool = False
    of_person: bool = False


def plain(vertices: Points, faces: Faces, colour: NDArray[np.floating], smooth: bool = False) -> Solid:
    """A solid of one colour."""
    return Solid(vertices, faces, vertices, lambda places: np.broadcast_to(colour, places.shape), smooth)


def moved(points: Points, yaw: float, position: NDArray[np.floating]) -> Points:
    """Points (N, 3) rotated about the vertical axis by `yaw` degrees, then shifted to `position`."""
    cosine, sine = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    return points @ np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]]) + position
