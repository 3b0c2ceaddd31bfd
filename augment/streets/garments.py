"""The meshes of a dressed person at rest: skin, clothes and shoes; `hair` adds those on the head.

Clothes are made from the body model's helper meshes (close-fitting tights, a skirt, long hair), which are pushed
outwards and cut at the garment's edges. A garment over another is pushed out further, and skin under cloth is left out,
so that nothing shows through.

Functions named `..._kept` give, for each vertex, about its distance in metres to the nearest edge of a garment,
positive inside: the garment is cut where that is zero.
"""

from __future__ import annotations

import numpy as np

from augment.streets.body import Body, Shape
from augment.streets.hair import hair_and_cap
from augment.streets.measures import ARM, LEG, Measures, Values, along
from augment.streets.meshes import Mesh, Points, clip, compact, inflated, normals
from augment.streets.noise import noise
from augment.streets.outfit import Outfit

THICK = ("jacket", "hoodie")
OVER = 0.007  # distance between two layers of cloth, in metres
TUCKED = 0.05  # length of a top inside a skirt, in metres
COVERED = 0.03  # distance to a garment's edge, in metres, from which the skin under it is left out


def dress(body: Body, shape: Shape, outfit: Outfit, at: Measures) -> list[tuple[str, Mesh]]:
    """The parts of a dressed person at rest, as (material, mesh)."""
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
    parts.append(("top", clip(body.mesh(shape, "tights", shirt), body.of("tights", above_kept))))
    covered = above_kept > COVERED
    if skirt:
        vertices, kept = _skirt(body, shape, outfit, at)
        parts.append(("bottom", clip(body.mesh(shape, "skirt", vertices), body.of("skirt", kept))))
        covered |= (kept > 0.06) & (shape.vertices[:, 2] < at.hip + 0.05) & (at.on_arm < 0.3)
    else:  # the trousers end a little above the top's hem
        kept = np.minimum(below_kept, hem + 0.05 - trousers[:, 2])
        parts.append(("bottom", clip(body.mesh(shape, "tights", trousers), body.of("tights", kept))))
        covered |= (below_kept > COVERED) & (at.on_arm < 0.3)
    faces = body.faces["body"]
    parts.append(("skin", compact(Mesh(shape.vertices, faces[~covered[faces].all(1)], body.weights))))
    return parts + _feet(body, shape, outfit, at) + hair_and_cap(body, shape, outfit, at)


def _folds(vertices: Points, offset: float) -> Values:
    """Displacement of cloth by its folds, in metres: some as wide as a hand, and narrower ones."""
    x, y, z = vertices.T
    return 0.005 * noise(0.9 * x + offset, 0.9 * z + 0.3 * y) + 0.003 * noise(3 * x + 0.8 * y, 3 * z + offset, 1)


def _bottom_offset(shape: Shape, outfit: Outfit, at: Measures) -> Values:
    """Distance of trousers from the tights, in metres for a person of 1.7 m."""
    bottom = outfit.bottom
    wide = 0.012 + 0.022 * np.clip(at.leg - 0.2, 0, 1) * (1.3 if bottom.cut == "shorts" else 1.0)
    return 0.007 + np.where(at.on_leg > 0.5, bottom.loose * (wide + _folds(shape.vertices, outfit.folds)), 0)


def _bottom_kept(body: Body, shape: Shape, outfit: Outfit, at: Measures, vertices: Points) -> Values:
    """Distance of the vertices of trousers to their nearest edge, positive inside."""
    leg = along(body, shape, vertices, LEG)
    kept = np.where(at.on_leg > 0.5, (outfit.bottom.length - leg) * 0.42, 0.4)
    kept = np.minimum(kept, at.hip + 0.11 * at.scale - vertices[:, 2])
    return np.where(at.on_arm > 0.3, -0.05, kept)


def _top_offset(shape: Shape, outfit: Outfit, at: Measures) -> Values:
    """Distance of a top from the tights, in metres for a person of 1.7 m; the top hangs from the chest."""
    top, z = outfit.top, shape.vertices[:, 2]
    trunk = 1 - np.clip(1.2 * at.on_arm, 0, 1)
    chest = at.neck[2] - 0.17 * at.scale
    down = np.clip((chest - z) / (chest - at.hip), 0, 1.3)
    hang = 0.008 + 0.020 * down * trunk + _folds(shape.vertices, outfit.folds + 50) * (0.4 + down)
    sleeves = (1 - trunk) * (0.010 + 0.010 * np.clip(at.arm, 0, 1))
    return 0.008 + (0.012 if top.cut in THICK else 0) + top.loose * (hang + sleeves)


def _top_kept(body: Body, shape: Shape, outfit: Outfit, at: Measures, vertices: Points, hem: float) -> Values:
    """Distance of the vertices of a top to its nearest edge, positive inside; its lower edge is at z = `hem`."""
    top, (x, y, z) = outfit.top, vertices.T
    collar = at.neck[2] - z
    collar += 0.035 * at.scale if top.cut in THICK else 0.55 * (y - at.neck[1]) - 0.005 * at.scale
    kept = np.minimum(z - hem, collar)
    if top.cut == "tank":  # straps over the shoulders, arms left free
        straps = np.where(z > at.neck[2] - 0.2 * at.scale, 0.17 * at.scale - np.abs(x), 1.0)
        return np.minimum.reduce([kept, straps, 0.2 * (0.3 - at.on_arm)])
    arm = along(body, shape, vertices, ARM)
    return np.where(at.on_arm > 0.5, np.minimum((top.sleeve - arm) * 0.28, 0.3), kept)


def _skirt(body: Body, shape: Shape, outfit: Outfit, at: Measures) -> tuple[Points, Values]:
    """The vertices of a skirt, from narrow to pleated, and their height above its hem."""
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
        parts.append(("sock", clip(body.mesh(shape, "tights", vertices), body.of("tights", kept))))
    vertices = shape.vertices + 0.012 * at.scale * normals(shape.vertices, tights)
    sole = at.floor - 0.018
    vertices[:, 2] = np.where(vertices[:, 2] < sole + 0.03, sole, vertices[:, 2])
    kept = np.where(foot, at.ankle + 0.02 * at.scale - z, -1)
    parts.append(("shoe", clip(body.mesh(shape, "tights", vertices), body.of("tights", kept))))
    return parts
