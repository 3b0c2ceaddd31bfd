"""The colour of each point of a dressed person, from its place at rest: the same in every pose and camera."""

from __future__ import annotations

import numpy as np

from reid.datasets.streets.body import Body, Shape
from reid.datasets.streets.garments import Measures
from reid.datasets.streets.meshes import Points
from reid.datasets.streets.noise import noise
from reid.datasets.streets.outfit import Colour, Outfit
from reid.datasets.streets.solids import Colours, Paint


def paints(body: Body, shape: Shape, outfit: Outfit, at: Measures) -> dict[str, Paint]:
    """The paint of each material of `reid.datasets.streets.garments`."""
    features = {name: shape.keypoints[body.keypoint[name]] for name in ("left_eye", "right_eye", "nose")}

    def shaded(colour: Colour, points: Points, amount: float, size: float, kind: int = 0) -> Colours:
        x, y, z = points.T
        grain = noise(size * (x + 0.37 * y) + outfit.folds, size * (z + 0.23 * y), kind)
        return colour * np.clip(1 + amount * grain, 0.3, 1.8)[:, None]

    def skin(points: Points) -> Colours:
        colours = shaded(outfit.skin, points, 0.05, 2.0)
        x, y, z = points.T
        face = y < at.eyes[1] + 0.03
        for eye in (features["left_eye"], features["right_eye"]):
            brow = face & (np.abs(x - eye[0]) < 0.022) & (np.abs(z - eye[2] - 0.022) < 0.006)
            colours[brow] = 0.7 * outfit.hair + 0.3 * outfit.skin
            colours[face & (np.abs(x - eye[0]) < 0.018) & (np.abs(z - eye[2]) < 0.010)] *= 0.55
        mouth = face & (np.abs(x) < 0.024) & (np.abs(z - features["nose"][2] + 0.042) < 0.008)
        colours[mouth] *= (1.0, 0.62, 0.62)
        return colours

    def hair(points: Points) -> Colours:
        # Strands run down, so they vary across and hardly along.
        x, y, z = points.T
        strands = noise(14 * (x + 0.6 * y) + outfit.folds, 1.5 * z, 1) + 0.6 * noise(4 * x, 3 * (z + y), 2)
        return outfit.hair * np.clip(1.1 + 0.30 * strands, 0.4, 2.2)[:, None]

    def shoe(points: Points) -> Colours:
        colours = shaded(outfit.shoes, points, 0.06, 4.0)
        colours[points[:, 2] < at.floor + 0.006] = outfit.sole
        return colours

    def bottom(points: Points) -> Colours:
        x, _, z = points.T
        colours = shaded(outfit.bottom.colour, points, 0.07, 1.7, 1)
        if outfit.bottom.cut == "jeans":  # worn at the thighs
            worn = np.exp(-(((z - at.hip + 0.22) / 0.12) ** 2)) * np.exp(-(((np.abs(x) - 0.1) / 0.05) ** 2))
            colours *= (1 + 0.35 * worn)[:, None]
        if outfit.bottom.cut == "dress":
            colours = pattern(points, colours)
        return colours

    def pattern(points: Points, colours: Colours) -> Colours:
        top, (x, y, z) = outfit.top, points.T
        front = y < at.neck[1] - 0.02
        if top.pattern == "stripes":
            colours = np.where((np.sin(2 * np.pi * z / (0.055 * top.scale)) > 0.1)[:, None], top.second, colours)
        elif top.pattern == "plaid":
            rows = np.sin(2 * np.pi * z / (0.085 * top.scale)) > 0.3
            columns = np.sin(2 * np.pi * x / (0.085 * top.scale)) > 0.3
            share = 0.45 * rows + 0.45 * columns
            colours = colours * (1 - share)[:, None] + top.second * share[:, None]
        elif top.pattern == "print":
            half = 0.075 * top.scale
            height = at.neck[2] - (0.2 if top.print_at == "chest" else 0.17) * at.scale
            where = (np.abs(x) < half) & (np.abs(z - height) < 0.7 * half) & (front == (top.print_at == "chest"))
            motif = noise(2.5 * x / top.scale + outfit.top.scale, 2.5 * z / top.scale, 1) > -0.3
            colours = np.where((where & motif)[:, None], top.second, colours)
        elif top.pattern == "block":
            colours = np.where((z > at.neck[2] - 0.24 * top.scale * at.scale)[:, None], top.second, colours)
        elif top.pattern == "raglan":
            colours = np.where((np.abs(x) > 0.17 * at.scale)[:, None], top.second, colours)
        return colours

    def top(points: Points) -> Colours:
        x, y, z = points.T
        colours = pattern(points, np.broadcast_to(outfit.top.colour, points.shape).copy())
        front = (y < at.neck[1] - 0.02) & (np.abs(x) < 0.17 * at.scale)
        if outfit.top.open:
            gap = 0.035 + 0.05 * np.clip((at.neck[2] - z) / 0.5, 0, 1)
            colours[front & (np.abs(x) < gap)] = outfit.top.second
        elif outfit.top.cut in ("jacket", "hoodie", "shirt"):
            colours[front & (np.abs(x) < 0.007)] *= 0.55
        if outfit.top.cut == "shirt":
            colours[z > at.neck[2] - 0.035 * at.scale] *= 0.85
        if outfit.bag == "backpack":
            strap = np.abs(np.abs(x) - 0.105 * at.scale) < 0.022
            colours[front & strap & (z > at.neck[2] - 0.35 * at.scale)] = outfit.bag_colour
        elif outfit.bag == "shoulder":
            up = (z - at.hip - 0.1) / (at.neck[2] - at.hip - 0.12)
            across = (1 if outfit.side == "L" else -1) * (0.19 - 0.30 * up)
            colours[(np.abs(x - across) < 0.02) & (np.abs(x) < 0.19 * at.scale)] = outfit.bag_colour
        grain = noise(1.9 * (x + 0.37 * y) + outfit.folds, 1.9 * (z + 0.23 * y), 2)
        return colours * (1 + 0.07 * grain)[:, None]

    def plain(colour: Colour, amount: float = 0.05) -> Paint:
        return lambda points: shaded(colour, points, amount, 4.0)

    result: dict[str, Paint] = {"skin": skin, "hair": hair, "shoe": shoe, "bottom": bottom, "top": top}
    result |= {"eye": plain(np.full(3, 0.06)), "bag": plain(outfit.bag_colour)}
    if outfit.cap is not None:
        result["cap"] = plain(outfit.cap)
    if outfit.socks is not None:
        result["sock"] = plain(outfit.socks)
    return result
