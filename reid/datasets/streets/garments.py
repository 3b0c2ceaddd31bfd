"""The meshes of a dressed person at rest: skin, clothes, shoes, hair.

Clothes are shells around the body model's helper meshes (close-fitting tights, a skirt, long hair), pushed outwards and
cut where they end. A garment that lies over another is pushed out further than it, and skin under cloth is left out, so
that nothing shows through.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid.datasets.streets.body import Body, Shape
from reid.datasets.streets.meshes import Mesh, Points, clip, compact, inflated, joined, normals, rounded, tube
from reid.datasets.streets.noise import noise
from reid.datasets.streets.outfit import Outfit

Values = NDArray[np.floating]  # (V,) one number for each vertex of the body model
Point = NDArray[np.floating]  # (3,)
ARM, LEG = ("upperarm01", "lowerarm01", "wrist"), ("upperleg01", "lowerleg01", "foot")
THICK = ("jacket", "hoodie")
OVER = 0.007  # metres between the layers of cloth
TUCKED = 0.05  # metres that a top reaches into a skirt
COVERED = 0.03  # metres inside a garment's edge from which the skin below is left out


@dataclass(frozen=True)
class Measures:
    """Where a body's parts are, at rest.

    Args:
        scale: the body's height over 1.7 m.
        hip: z of the hip joints.
        neck: the neck's lower end.
        eyes: between the eyes.
        ears: between the ears.
        ankle: z of the ankle joints.
        floor: z of the soles.
        arm: (V,) along the arms: 0 shoulder, 1 elbow, 2 wrist.
        leg: (V,) along the legs: 0 hip, 1 knee, 2 ankle.
        on_arm: (V,) share of the arms' bones.
        on_leg: (V,) share of the legs' bones.
        on_head: (V,) share of the head.
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
    """Find a body's landmarks."""
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
    """(N,) where points are along a limb of their side: 0, 1 and 2 at the heads of its three bones."""
    result = np.empty(len(vertices))
    for side, here in (("L", vertices[:, 0] >= 0), ("R", vertices[:, 0] < 0)):
        start, middle, stop = (shape.heads[body.bone[f"{bone}.{side}"]] for bone in bones)
        first = (vertices[here] - start) @ (middle - start) / ((middle - start) @ (middle - start))
        second = (vertices[here] - middle) @ (stop - middle) / ((stop - middle) @ (stop - middle))
        result[here] = np.where(first < 1, first, 1 + np.maximum(second, 0))
    return result


def dress(body: Body, shape: Shape, outfit: Outfit, at: Measures) -> list[tuple[str, Mesh]]:
    """The parts of a dressed person, as (material, mesh)."""
    parts = [("eye", body.mesh(shape, "eyes"))]
    tights, skirt = body.faces["tights"], outfit.bottom.cut in ("skirt", "dress")
    below, above = _bottom_offset(shape, outfit, at), _top_offset(shape, outfit, at)
    trousers = inflated(shape.vertices, tights, below * at.scale, 4)
    below_kept = _bottom_kept(body, shape, outfit, at, trousers)
    if not skirt:  # the top hangs over the trousers
        above = np.where(below_kept > 0, np.maximum(above, below + OVER), above)
    shirt = inflated(shape.vertices, tights, above * at.scale, 14)
    hem = at.hip - outfit.top.hem * at.scale
    if skirt:  # the top is tucked in
        hem = shape.vertices[np.unique(body.faces["skirt"]), 2].max() - TUCKED
    above_kept = _top_kept(body, shape, outfit, at, shirt, hem)
    parts.append(("top", clip(body.mesh(shape, "tights", shirt), _of(body, "tights", above_kept))))
    covered = above_kept > COVERED
    if skirt:
        vertices, kept = _skirt(body, shape, outfit, at)
        parts.append(("bottom", clip(body.mesh(shape, "skirt", vertices), _of(body, "skirt", kept))))
        covered |= (kept > 0.06) & (shape.vertices[:, 2] < at.hip + 0.05) & (at.on_arm < 0.3)
    else:  # the trousers end a little above the top's hem
        kept = np.minimum(below_kept, hem + 0.05 - trousers[:, 2])
        parts.append(("bottom", clip(body.mesh(shape, "tights", trousers), _of(body, "tights", kept))))
        covered |= (below_kept > COVERED) & (at.on_arm < 0.3)
    faces = body.faces["body"]
    parts.append(("skin", compact(Mesh(shape.vertices, faces[~covered[faces].all(1)], body.weights))))
    return parts + _feet(body, shape, outfit, at) + _head(body, shape, outfit, at)


def _of(body: Body, name: str, values: Values) -> Values:
    """Values of the vertices that one of the model's meshes uses."""
    return values[np.unique(body.faces[name])]


def _folds(vertices: Points, offset: float) -> Values:
    """Displacement by folds, in metres: lumps as wide as a hand, and narrower ones."""
    x, y, z = vertices.T
    return 0.005 * noise(0.9 * x + offset, 0.9 * z + 0.3 * y) + 0.003 * noise(3 * x + 0.8 * y, 3 * z + offset, 1)


def _bottom_offset(shape: Shape, outfit: Outfit, at: Measures) -> Values:
    """How far trousers are off the tights, in metres of a person of 1.7 m."""
    bottom = outfit.bottom
    wide = 0.012 + 0.022 * np.clip(at.leg - 0.2, 0, 1) * (1.3 if bottom.cut == "shorts" else 1.0)
    return 0.007 + np.where(at.on_leg > 0.5, bottom.loose * (wide + _folds(shape.vertices, outfit.folds)), 0)


def _bottom_kept(body: Body, shape: Shape, outfit: Outfit, at: Measures, vertices: Points) -> Values:
    """Metres that the vertices of trousers are inside the edges."""
    leg = along(body, shape, vertices, LEG)
    kept = np.where(at.on_leg > 0.5, (outfit.bottom.length - leg) * 0.42, 0.4)
    kept = np.minimum(kept, at.hip + 0.11 * at.scale - vertices[:, 2])
    return np.where(at.on_arm > 0.3, -0.05, kept)


def _top_offset(shape: Shape, outfit: Outfit, at: Measures) -> Values:
    """How far a top is off the tights, in metres of a person of 1.7 m: it hangs from the chest."""
    top, z = outfit.top, shape.vertices[:, 2]
    trunk = 1 - np.clip(1.2 * at.on_arm, 0, 1)
    chest = at.neck[2] - 0.17 * at.scale
    down = np.clip((chest - z) / (chest - at.hip), 0, 1.3)
    hang = 0.008 + 0.020 * down * trunk + _folds(shape.vertices, outfit.folds + 50) * (0.4 + down)
    sleeves = (1 - trunk) * (0.010 + 0.010 * np.clip(at.arm, 0, 1))
    return 0.008 + (0.012 if top.cut in THICK else 0) + top.loose * (hang + sleeves)


def _top_kept(body: Body, shape: Shape, outfit: Outfit, at: Measures, vertices: Points, hem: float) -> Values:
    """Metres that the vertices of a top are inside the edges, the lowest of which is at z = `hem`."""
    top, (x, y, z) = outfit.top, vertices.T
    collar = at.neck[2] - z
    collar += 0.035 * at.scale if top.cut in THICK else 0.55 * (y - at.neck[1]) - 0.005 * at.scale
    kept = np.minimum(z - hem, collar)
    if top.cut == "tank":  # straps over the shoulders, cut out at the arms
        straps = np.where(z > at.neck[2] - 0.2 * at.scale, 0.17 * at.scale - np.abs(x), 1.0)
        return np.minimum.reduce([kept, straps, 0.2 * (0.3 - at.on_arm)])
    arm = along(body, shape, vertices, ARM)
    return np.where(at.on_arm > 0.5, np.minimum((top.sleeve - arm) * 0.28, 0.3), kept)


def _skirt(body: Body, shape: Shape, outfit: Outfit, at: Measures) -> tuple[Points, Values]:
    """A skirt's vertices, from narrow to pleated, and metres above its hem."""
    vertices, faces = shape.vertices, body.faces["skirt"]
    knee = shape.heads[body.bone["lowerleg01.L"]][2]
    hem = at.hip - outfit.bottom.length * (at.hip - knee)
    skirt = vertices + 0.010 * normals(vertices, faces)
    low = np.clip((at.hip + 0.1 - vertices[:, 2]) / 0.5, 0, 1)
    angle = np.arctan2(vertices[:, 1], vertices[:, 0])
    narrow = 1 - (1 - outfit.bottom.loose) * 0.26 * low
    pleats = 1 + 0.03 * outfit.bottom.loose * low * np.sin(11 * angle + outfit.folds)
    skirt[:, :2] *= (narrow * pleats)[:, None]
    return skirt, vertices[:, 2] - hem


def _feet(body: Body, shape: Shape, outfit: Outfit, at: Measures) -> list[tuple[str, Mesh]]:
    """Shoes with flat soles, and socks."""
    parts = []
    tights = body.faces["tights"]
    foot = (at.on_leg > 0.5) & (at.leg > 1.5)
    z = shape.vertices[:, 2]
    if outfit.socks is not None:
        vertices = shape.vertices + 0.004 * normals(shape.vertices, tights)
        kept = np.where(foot, at.ankle + 0.10 * at.scale - z, -1)
        parts.append(("sock", clip(body.mesh(shape, "tights", vertices), _of(body, "tights", kept))))
    vertices = shape.vertices + 0.012 * at.scale * normals(shape.vertices, tights)
    sole = at.floor - 0.018
    vertices[:, 2] = np.where(vertices[:, 2] < sole + 0.03, sole, vertices[:, 2])
    kept = np.where(foot, at.ankle + 0.02 * at.scale - z, -1)
    parts.append(("shoe", clip(body.mesh(shape, "tights", vertices), _of(body, "tights", kept))))
    return parts


def _head(body: Body, shape: Shape, outfit: Outfit, at: Measures) -> list[tuple[str, Mesh]]:
    """Hair on the scalp, what hangs or is tied behind, a cap."""
    parts = []
    faces = body.faces["body"]
    faces = faces[(at.on_head[faces] > 0.4).all(1)]
    x, y, z = shape.vertices.T
    skull = at.on_head > 0.4
    front, back = y[skull & (at.on_head > 0.9)].min(), y[skull & (at.on_head > 0.9)].max()
    behind = np.clip((y - front) / (back - front), 0, 1)

    def scalp(thick: Values | float, kept: Values, rounds: int) -> Mesh:
        grown = inflated(shape.vertices, faces, np.broadcast_to(thick, z.shape) * at.scale, rounds, skull)
        mesh = Mesh(grown, faces, body.weights)
        return clip(mesh, np.minimum(kept, 0.1 * (at.on_head - 0.4)))

    # The hair line: over the forehead, down before the ears, low on the neck.
    line = at.eyes[2] + (0.056 - 0.016 * behind - 0.135 * np.clip((behind - 0.42) / 0.5, 0, 1)) * at.scale
    line += 0.004 * noise(6 * x + outfit.folds, 6 * y, 1)
    above = z - line
    if outfit.style != "bald":
        thick = {"crop": 0.006, "short": 0.013, "bob": 0.016, "long": 0.014, "ponytail": 0.009, "bun": 0.009}[
            outfit.style
        ]
        edge = np.clip(above / (0.03 * at.scale), 0.25, 1)
        lumps = 0.003 * noise(4 * x + outfit.folds, 4 * z + 3 * y, 2)
        parts.append(("hair", scalp(thick * edge + (lumps if outfit.style != "crop" else 0), above, 6)))
    knot = np.array([0.0, back + 0.012, at.eyes[2] + 0.045 * at.scale])
    weights = np.zeros((1, body.weights.shape[1]))
    weights[0, body.bone["head"]] = 1

    def on_head(solid: tuple[Points, NDArray[np.int64]]) -> Mesh:
        return Mesh(*solid, np.repeat(weights, len(solid[0]), 0))

    if outfit.style == "bun":
        parts.append(("hair", on_head(rounded((0.042, 0.036, 0.04), knot))))
    elif outfit.style == "ponytail":
        tail = [
            knot,
            knot + (0, 0.05, -0.03),
            knot + (0, 0.055, -0.12),
            knot + (0, 0.04, -0.21),
            knot + (0, 0.03, -0.27),
        ]
        radii = [0.016, 0.026, 0.028, 0.02, 0.004]
        strands = [tube(a, b, r, q, 8) for a, b, r, q in zip(tail, tail[1:], radii, radii[1:], strict=False)]
        parts.append(("hair", on_head(joined(strands))))
    elif outfit.style in ("long", "bob"):
        end = at.neck[2] + (0.03 if outfit.style == "bob" else -0.10) * at.scale
        off = np.clip((at.neck[2] + 0.05 - z) / 0.1, 0, 1)  # the shoulders, which wear cloth
        curtain = body.mesh(shape, "hair", shape.vertices + 0.03 * off[:, None] * (0, 1, 0))
        # Parted at the face: only what hangs behind the cheeks is kept, and below the crown, where the scalp's begins.
        kept = np.minimum.reduce([z - end, y - (at.ears[1] - 0.035 * at.scale), at.eyes[2] + 0.07 * at.scale - z])
        parts.append(("hair", clip(curtain, _of(body, "hair", kept))))
    if outfit.cap is not None:
        rim = z - (at.eyes[2] + 0.042 * at.scale)
        cap = scalp(0.020, rim, 8)
        peak = np.clip((at.ears[1] - 0.05 - cap.vertices[:, 1]) / 0.05, 0, 1)
        peak *= np.clip(1 - (cap.vertices[:, 2] - at.eyes[2] - 0.045) / 0.03, 0, 1)
        cap.vertices[:, 1] -= 0.055 * peak
        parts.append(("cap", cap))
    return parts
