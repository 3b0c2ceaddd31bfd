"""Colours of a dressed person, as functions of a point's position at rest: so they are alike in all poses and cameras.

Convention: metres at rest; x is towards the person's left, they face -y, z is up.
"""

from __future__ import annotations

import numpy as np

from augment.streets.body import Body, Shape
from augment.streets.measures import Measures
from augment.streets.meshes import Points
from augment.streets.noise import noise
from augment.streets.outfit import Colour, Outfit
from augment.streets.solids import Colours, Paint

FRONT = 0.02  # a point of the trunk is on its front if it lies more than so many metres in front of the neck joint


class Fabric:
    """The looks of a person: a paint (colours from positions) for each material of `augment.streets.garments`."""

    def __init__(self, body: Body, shape: Shape, outfit: Outfit, at: Measures):
        self.outfit, self.at = outfit, at
        self.eyes = [shape.keypoints[body.keypoint[name]] for name in ("left_eye", "right_eye")]
        self.nose = shape.keypoints[body.keypoint["nose"]]

    def paints(self) -> dict[str, Paint]:
        """The paint of each material."""
        result: dict[str, Paint] = {
            "skin": self.skin,
            "hair": self.hair,
            "shoe": self.shoe,
            "bottom": self.bottom,
            "top": self.top,
            "eye": self._plain(np.full(3, 0.06)),
            "bag": self._plain(self.outfit.bag_colour),
        }
        if self.outfit.cap is not None:
            result["cap"] = self._plain(self.outfit.cap)
        if self.outfit.socks is not None:
            result["sock"] = self._plain(self.outfit.socks)
        return result

    def skin(self, points: Points) -> Colours:
        """Skin with eyebrows, eyelids and lips."""
        colours = self._shaded(self.outfit.skin, points, 0.05, 2.0)
        x, y, z = points.T
        face = y < self.at.eyes[1] + 0.03
        for eye in self.eyes:
            brow = face & (np.abs(x - eye[0]) < 0.022) & (np.abs(z - eye[2] - 0.022) < 0.006)
            colours[brow] = 0.7 * self.outfit.hair + 0.3 * self.outfit.skin
            colours[face & (np.abs(x - eye[0]) < 0.018) & (np.abs(z - eye[2]) < 0.010)] *= 0.55
        mouth = face & (np.abs(x) < 0.024) & (np.abs(z - self.nose[2] + 0.042) < 0.008)
        colours[mouth] *= (1.0, 0.62, 0.62)
        return colours

    def hair(self, points: Points) -> Colours:
        """Hair with strands."""
        # Strands hang down: the colour varies quickly in the horizontal and slowly in the vertical.
        x, y, z = points.T
        strands = noise(14 * (x + 0.6 * y) + self.outfit.folds, 1.5 * z, 1) + 0.6 * noise(4 * x, 3 * (z + y), 2)
        return self.outfit.hair * np.clip(1.1 + 0.30 * strands, 0.4, 2.2)[:, None]

    def shoe(self, points: Points) -> Colours:
        """Shoes with soles."""
        colours = self._shaded(self.outfit.shoes, points, 0.06, 4.0)
        colours[points[:, 2] < self.at.floor + 0.006] = self.outfit.sole
        return colours

    def bottom(self, points: Points) -> Colours:
        """Trousers, skirt or dress."""
        x, _, z = points.T
        colours = self._shaded(self.outfit.bottom.colour, points, 0.07, 1.7, 1)
        if self.outfit.bottom.cut == "jeans":  # bleached at the thighs
            worn = np.exp(-(((z - self.at.hip + 0.22) / 0.12) ** 2)) * np.exp(-(((np.abs(x) - 0.1) / 0.05) ** 2))
            colours *= (1 + 0.35 * worn)[:, None]
        if self.outfit.bottom.cut == "dress":
            colours = self.pattern(points, colours)
        return colours

    def top(self, points: Points) -> Colours:
        """The garment of the upper body, with the straps of a bag over it."""
        x, y, z = points.T
        colours = self.pattern(points, np.broadcast_to(self.outfit.top.colour, points.shape).copy())
        front = (y < self.at.neck[1] - FRONT) & (np.abs(x) < 0.17 * self.at.scale)
        if self.outfit.top.open:
            # What an open jacket shows widens from the neck down.
            half_gap = 0.035 + 0.05 * np.clip((self.at.neck[2] - z) / 0.5, 0, 1)
            colours[front & (np.abs(x) < half_gap)] = self.outfit.top.second
        elif self.outfit.top.cut in ("jacket", "hoodie", "shirt"):
            colours[front & (np.abs(x) < 0.007)] *= 0.55  # zip or buttons
        if self.outfit.top.cut == "shirt":
            colours[z > self.at.neck[2] - 0.035 * self.at.scale] *= 0.85  # collar
        if self.outfit.bag == "backpack":
            strap = np.abs(np.abs(x) - 0.105 * self.at.scale) < 0.022
            colours[front & strap & (z > self.at.neck[2] - 0.35 * self.at.scale)] = self.outfit.bag_colour
        elif self.outfit.bag == "shoulder":  # its strap runs across the chest
            up = (z - self.at.hip - 0.1) / (self.at.neck[2] - self.at.hip - 0.12)
            across = (1 if self.outfit.side == "L" else -1) * (0.19 - 0.30 * up)
            colours[(np.abs(x - across) < 0.02) & (np.abs(x) < 0.19 * self.at.scale)] = self.outfit.bag_colour
        grain = noise(1.9 * (x + 0.37 * y) + self.outfit.folds, 1.9 * (z + 0.23 * y), 2)
        return colours * (1 + 0.07 * grain)[:, None]

    def pattern(self, points: Points, colours: Colours) -> Colours:
        """The colours (N, 3) with the top's pattern drawn over them."""
        top, (x, y, z) = self.outfit.top, points.T
        front = y < self.at.neck[1] - FRONT
        if top.pattern == "stripes":
            colours = np.where((np.sin(2 * np.pi * z / (0.055 * top.scale)) > 0.1)[:, None], top.second, colours)
        elif top.pattern == "plaid":
            horizontal = np.sin(2 * np.pi * z / (0.085 * top.scale)) > 0.3
            vertical = np.sin(2 * np.pi * x / (0.085 * top.scale)) > 0.3
            share = 0.45 * horizontal + 0.45 * vertical
            colours = colours * (1 - share)[:, None] + top.second * share[:, None]
        elif top.pattern == "print":
            half = 0.075 * top.scale
            height = self.at.neck[2] - (0.2 if top.print_at == "chest" else 0.17) * self.at.scale
            printed = (np.abs(x) < half) & (np.abs(z - height) < 0.7 * half) & (front == (top.print_at == "chest"))
            motif = noise(2.5 * x / top.scale + self.outfit.top.scale, 2.5 * z / top.scale, 1) > -0.3
            colours = np.where((printed & motif)[:, None], top.second, colours)
        elif top.pattern == "block":
            colours = np.where((z > self.at.neck[2] - 0.24 * top.scale * self.at.scale)[:, None], top.second, colours)
        elif top.pattern == "raglan":
            colours = np.where((np.abs(x) > 0.17 * self.at.scale)[:, None], top.second, colours)
        return colours

    def _shaded(self, colour: Colour, points: Points, amount: float, size: float, kind: int = 0) -> Colours:
        """The colour with noise: of relative strength `amount`, finer for a larger `size`."""
        x, y, z = points.T
        grain = noise(size * (x + 0.37 * y) + self.outfit.folds, size * (z + 0.23 * y), kind)
        return colour * np.clip(1 + amount * grain, 0.3, 1.8)[:, None]

    def _plain(self, colour: Colour, amount: float = 0.05) -> Paint:
        return lambda points: self._shaded(colour, points, amount, 4.0)
