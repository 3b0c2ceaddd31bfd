"""Meshes on a person's head: hair on the scalp, hair that hangs or is tied at the back, a cap."""

from __future__ import annotations

import numpy as np

from augment.streets.body import Body, Shape
from augment.streets.measures import Measures, Point, Values
from augment.streets.meshes import Faces, Mesh, Points, clip, inflated, joined, rounded, tube
from augment.streets.noise import noise
from augment.streets.outfit import Outfit

SKULL = 0.4  # skinning weight of the head's bone from which skin belongs to the head
# Of the layer of hair, in metres for a person of 1.7 m.
THICKNESS = {"crop": 0.006, "short": 0.013, "bob": 0.016, "long": 0.014, "ponytail": 0.009, "bun": 0.009}
TAIL = [(0, 0, 0), (0, 0.05, -0.03), (0, 0.055, -0.12), (0, 0.04, -0.21), (0, 0.03, -0.27)]  # its axis, from the knot
TAIL_RADII = [0.016, 0.026, 0.028, 0.02, 0.004]


def hair_and_cap(body: Body, shape: Shape, outfit: Outfit, at: Measures) -> list[tuple[str, Mesh]]:
    """The parts on the head, as (material, mesh)."""
    parts = []
    _, y, z = shape.vertices.T
    head = y[at.on_head > 0.9]
    front, back = head.min(), head.max()
    if outfit.style != "bald":
        parts.append(("hair", _short(body, shape, outfit, at, (y - front) / (back - front))))
    knot = np.array([0.0, back + 0.012, at.eyes[2] + 0.045 * at.scale])
    if outfit.style == "bun":
        parts.append(("hair", _rigid(body, rounded((0.042, 0.036, 0.04), knot))))
    elif outfit.style == "ponytail":
        parts.append(("hair", _rigid(body, _tail(knot))))
    elif outfit.style in ("long", "bob"):
        parts.append(("hair", _hanging(body, shape, outfit.style, at)))
    if outfit.cap is not None:
        cap = _scalp(body, shape, at, np.full(len(z), 0.020), z - (at.eyes[2] + 0.042 * at.scale), 8)
        peak = np.clip((at.ears[1] - 0.05 - cap.vertices[:, 1]) / 0.05, 0, 1)
        peak *= np.clip(1 - (cap.vertices[:, 2] - at.eyes[2] - 0.045) / 0.03, 0, 1)
        cap.vertices[:, 1] -= 0.055 * peak
        parts.append(("cap", cap))
    return parts


def _scalp(body: Body, shape: Shape, at: Measures, thick: Values, kept: Values, rounds: int) -> Mesh:
    """A smoothed layer of thickness `thick` (V,) over the head's skin, where `kept` (V,) is positive."""
    faces = body.faces["body"]
    faces = faces[(at.on_head[faces] > SKULL).all(1)]
    grown = inflated(shape.vertices, faces, thick * at.scale, rounds, at.on_head > SKULL)
    return clip(Mesh(grown, faces, body.weights), np.minimum(kept, 0.1 * (at.on_head - SKULL)))


def _short(body: Body, shape: Shape, outfit: Outfit, at: Measures, back: Values) -> Mesh:
    """Hair on the scalp; `back` (V,) runs from 0 at the face to 1 at the back of the head."""
    x, y, z = shape.vertices.T
    back = np.clip(back, 0, 1)
    # Height of the hair line: above the forehead, down in front of the ears, low at the neck.
    line = at.eyes[2] + (0.056 - 0.016 * back - 0.135 * np.clip((back - 0.42) / 0.5, 0, 1)) * at.scale
    line += 0.004 * noise(6 * x + outfit.folds, 6 * y, 1)
    edge = np.clip((z - line) / (0.03 * at.scale), 0.25, 1)
    lumps = 0.003 * noise(4 * x + outfit.folds, 4 * z + 3 * y, 2)
    thick = THICKNESS[outfit.style] * edge + (lumps if outfit.style != "crop" else 0)
    return _scalp(body, shape, at, thick, z - line, 6)


def _hanging(body: Body, shape: Shape, style: str, at: Measures) -> Mesh:
    """Long hair that hangs behind the cheeks, from below the crown, which hair on the scalp covers."""
    _, y, z = shape.vertices.T
    end = at.neck[2] + (0.03 if style == "bob" else -0.10) * at.scale
    # At the shoulders it lies over the clothes, so it is moved backwards.
    at_shoulders = np.clip((at.neck[2] + 0.05 - z) / 0.1, 0, 1)
    curtain = body.mesh(shape, "hair", shape.vertices + 0.03 * at_shoulders[:, None] * (0, 1, 0))
    kept = np.minimum.reduce([z - end, y - (at.ears[1] - 0.035 * at.scale), at.eyes[2] + 0.07 * at.scale - z])
    return clip(curtain, body.of("hair", kept))


def _tail(knot: Point) -> tuple[Points, Faces]:
    points = knot + np.array(TAIL)
    ends = zip(points, points[1:], TAIL_RADII, TAIL_RADII[1:], strict=False)
    return joined([tube(start, end, radius, end_radius, 8) for start, end, radius, end_radius in ends])


def _rigid(body: Body, solid: tuple[Points, Faces]) -> Mesh:
    """A mesh whose vertices all move with the head's bone."""
    weights = np.zeros((len(solid[0]), body.weights.shape[1]))
    weights[:, body.bone["head"]] = 1
    return Mesh(*solid, weights)
