"""A camera's surroundings: ground, the objects on it, a backdrop behind them, and light.

Convention: metres, z up, the ground at z = 0. The camera stands on the negative y axis and looks along +y at the
origin, around which people walk.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from augment.streets.belongings import bicycle
from augment.streets.meshes import Points, box, rounded, tube
from augment.streets.noise import cells, noise
from augment.streets.outfit import linear
from augment.streets.solids import Colours, Solid, moved, plain
from reid.randomness.seeds import seed_for

PAVEMENTS = [(134, 132, 127), (106, 106, 107), (122, 118, 112), (136, 120, 108), (150, 148, 144)]
BORDERS = ["grass", "asphalt", "slabs", "bricks"]
WALLS = [(146, 140, 130), (112, 86, 74), (118, 122, 126), (72, 74, 76), (136, 120, 96)]
LEAVES = [(64, 84, 44), (48, 66, 38), (84, 98, 52)]
NEAREST = 2.4  # smallest y of objects, in metres: people walk in front of them
PAINTS = [(36, 36, 40), (140, 40, 40), (186, 186, 190), (54, 72, 112), (64, 82, 52), (122, 114, 104), (28, 28, 30)]


class Scene:
    """The surroundings of a camera, which are the same in all its pictures.

    Args:
        seed: of the data set.
        number: of the camera, from 1.
    """

    def __init__(self, seed: int, number: int):
        random = np.random.default_rng(seed_for(seed, "scene", number))
        self._offset = random.uniform(0, 100, 2)
        height, around = np.radians(random.uniform(30, 62)), random.uniform(0, 2 * np.pi)
        self.sun = np.array([np.cos(around) * np.cos(height), np.sin(around) * np.cos(height), np.sin(height)])
        weather = ("overcast", "hazy", "bright")[int(random.choice(3, p=(0.3, 0.3, 0.4)))]
        self.sunlight = {"overcast": 0.12, "hazy": 0.9, "bright": 1.7}[weather] * np.array([1.0, 0.95, 0.86])
        self.spread = {"overcast": 0.5, "hazy": 0.10, "bright": 0.04}[
            weather
        ]  # radius of the sun, in radians (standard deviation of its points): it makes shadows soft
        self.skylight = np.array([0.80, 0.87, 1.0]) * random.uniform(0.55, 0.85)
        self.trees = (
            bool(random.random() < 0.5) and weather != "overcast"
        )  # trees outside the view, whose shade falls into it
        self.paving = linear(*PAVEMENTS[int(random.integers(len(PAVEMENTS)))]) * random.uniform(0.75, 1.05)
        self._tile = (0.0, 0.3, 0.6)[int(random.integers(3))]
        self._border = BORDERS[int(random.integers(len(BORDERS)))]
        self._edge, self._edge_turn = random.uniform(0.6, 3.0), random.normal(0, 0.35)
        self._wall = linear(*WALLS[int(random.integers(len(WALLS)))])
        self._leaves = linear(*LEAVES[int(random.integers(len(LEAVES)))])
        self._green = bool(random.random() < 0.5)
        self.far = random.uniform(6, 15)  # y of the backdrop, in metres
        self.solids = self._furniture(random)

    def _furniture(self, random: np.random.Generator) -> list[Solid]:
        """Parked bicycles, poles, trees, bins, hedges and cars, behind the area where people walk."""

        def paint() -> NDArray[np.floating]:
            return linear(*PAINTS[int(random.integers(len(PAINTS)))])

        solids = []
        if random.random() < 0.75:
            left, back, slope = random.uniform(-8, -4), random.uniform(NEAREST, 4.0), random.uniform(-0.1, 0.1)
            for place in range(int(random.integers(10, 20))):
                behind = max(back + slope * place, NEAREST)
                where = np.array([left + 0.58 * place + random.normal(0, 0.08), behind, 0])
                vertices, faces = bicycle()
                solids.append(plain(moved(vertices, random.normal(0, 8), where), faces, paint()))
        for _ in range(int(random.integers(4, 9))):
            where = np.array([random.uniform(-8, 8), random.uniform(3.2, max(4.0, self.far - 1)), 0])
            kind = random.random()
            if kind < 0.3:
                solids.append(plain(*tube(where, where + (0, 0, 4), 0.05, sides=8), paint(), smooth=True))
            elif kind < 0.6:
                bark = linear(82, 68, 54)
                solids.append(plain(*tube(where, where + (0, 0, 5), 0.16, 0.12, sides=10), bark, smooth=True))
            elif kind < 0.8:
                vertices, faces = rounded(
                    (random.uniform(0.5, 1.4), 0.4, random.uniform(0.4, 0.8)), where + (0, 0, 0.4), 0.6
                )
                solids.append(Solid(vertices, faces, vertices, self._foliage))
            elif kind < 0.9:
                solids.append(plain(*box((0.45, 0.45, 0.95), tuple(where + (0, 0, 0.475))), paint()))
            else:
                solids += self._car(where, random.uniform(-20, 20), paint())
        return solids

    def _car(self, where: Points, yaw: float, paint: NDArray[np.floating]) -> list[Solid]:
        body = rounded((2.1, 0.85, 0.42), np.array([0, 0, 0.62]), 0.35)
        cabin = rounded((1.15, 0.74, 0.42), np.array([0.15, 0, 1.15]), 0.45)
        wheels = [rounded((0.31, 0.12, 0.31), np.array([x, y, 0.31]), 0.8) for x in (-1.3, 1.3) for y in (-0.8, 0.8)]
        black = linear(22, 22, 24)
        shapes = [(body, paint), (cabin, linear(38, 44, 50)), *((wheel, black) for wheel in wheels)]
        return [plain(moved(vertices, yaw, where), faces, colour, smooth=True) for (vertices, faces), colour in shapes]

    def obstacle(self, random: np.random.Generator, where: Points) -> list[Solid]:
        """A random object that stands between the camera and a person: a bicycle, a pole, a bush or a bin."""
        kind = random.random()
        colour = linear(*PAINTS[int(random.integers(len(PAINTS)))])
        if kind < 0.5:
            vertices, faces = bicycle()
            return [plain(moved(vertices, random.uniform(60, 120), where), faces, colour)]
        if kind < 0.7:
            return [plain(*tube(where, where + (0, 0, 4), random.uniform(0.04, 0.1), sides=8), colour, smooth=True)]
        if kind < 0.85:
            size = (random.uniform(0.4, 0.8), 0.35, random.uniform(0.35, 0.6))
            vertices, faces = rounded(size, where + (0, 0, 0.35), 0.6)
            return [Solid(vertices, faces, vertices, self._foliage)]
        return [plain(*box((0.45, 0.45, 0.95), tuple(where + (0, 0, 0.475))), colour)]

    def _foliage(self, places: Points) -> Colours:
        x, y, z = places.T
        leaves = 0.5 * noise(1.4 * (x + y), 1.4 * z) + 0.45 * noise(0.3 * (x - y), 0.3 * z, 1)
        return self._leaves * np.clip(1 + leaves, 0.15, 2.2)[:, None]

    def ground(self, points: Points) -> Colours:
        """Colours of points (N, 3) on the ground: pavement, and another surface beyond a kerb."""
        x, y = points[:, 0] + self._offset[0], points[:, 1] + self._offset[1]
        grain = 0.10 * noise(0.05 * x, 0.05 * y) + 0.11 * noise(0.7 * x, 0.7 * y, 1)
        colours = self.paving * (1 + grain)[:, None]
        if self._tile:
            stone = cells(x / self._tile, y / self._tile)
            joint = np.minimum(x / self._tile % 1, y / self._tile % 1) < 0.035 / self._tile * 0.4
            colours *= (0.88 + 0.24 * stone - 0.3 * joint)[:, None]
        beyond = points[:, 1] * np.cos(self._edge_turn) + points[:, 0] * np.sin(self._edge_turn) - self._edge
        other = beyond > 0
        if other.any():
            colours[other] = self._beyond(x[other], y[other])
        kerb = np.abs(beyond) < 0.08
        colours[kerb] = colours[kerb] * 0.4 + 0.22
        return np.clip(colours, 0.008, 0.9)

    def _beyond(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> Colours:
        fine = noise(0.8 * x, 0.8 * y, 2)
        if self._border == "grass":
            return linear(78, 94, 54) * np.clip(1 + 0.45 * fine + 0.3 * noise(0.4 * x, 0.4 * y), 0.2, 2.2)[:, None]
        if self._border == "asphalt":
            return linear(88, 88, 90) * (1 + 0.16 * fine)[:, None]
        if self._border == "slabs":
            joint = np.minimum(x % 1, y % 1) < 0.02
            return linear(158, 156, 150) * (0.9 + 0.2 * cells(x, y) - 0.35 * joint + 0.06 * fine)[:, None]
        course = np.floor(y / 0.11)  # of bricks; every other one is shifted by half a brick
        along = x / 0.22 + 0.5 * (course % 2)
        joint = ((y / 0.11) % 1 < 0.16) | (along % 1 < 0.09)
        return linear(128, 92, 78) * (0.85 + 0.35 * cells(along, y / 0.11) - 0.35 * joint)[:, None]

    def shade(self, points: Points) -> NDArray[np.floating]:
        """(N,) share of the sun's light that trees let through to points (N, 3): light and dark patches."""
        on_ground = points - self.sun * (points[:, 2] / self.sun[2])[:, None]  # projected along the sun's rays
        x, y = on_ground[:, 0] + self._offset[0], on_ground[:, 1] + self._offset[1]
        leaves = noise(0.22 * x, 0.22 * y, 1) + 0.8 * noise(0.06 * x, 0.06 * y, 2)
        return np.clip(0.6 + 1.6 * leaves, 0.15, 1.0)

    def backdrop(self, directions: NDArray[np.floating], height: float, distance: float) -> Colours:
        """The light (N, 3) that comes from the backdrop: a wall with windows or trees, and the sky above.

        Args:
            directions: (N, 3) of the rays.
            height: of the camera, in metres.
            distance: of the backdrop from the camera, in metres.
        """
        angle = np.arctan2(directions[:, 0], directions[:, 1])
        up = directions[:, 2] / np.maximum(np.hypot(directions[:, 0], directions[:, 1]), 1e-3) * distance + height
        along = angle * distance
        coarse, fine = noise(0.06 * along, 0.06 * up), noise(0.5 * along, 0.5 * up, 1)
        light = (0.5 * self.skylight + 0.25 * self.sunlight).mean()
        if self._green:
            tufts = noise(1.6 * along, 1.6 * up, 2)
            colours = self._leaves * np.clip(1 + 0.5 * coarse + 0.45 * fine + 0.4 * tufts, 0.08, 2.6)[:, None]
        else:
            colours = self._wall * (1 + 0.10 * coarse + 0.05 * fine)[:, None]
            column, storey = along / 2.4, up / 2.9
            pane = (column % 1 < 0.55) & (storey % 1 > 0.3) & (storey % 1 < 0.85)
            frame = pane & (((column % 1) % 0.275 < 0.03) | (np.abs(storey % 1 - 0.575) < 0.012))
            colours[pane] = colours[pane] * 0.15 + 0.02 + 0.10 * cells(column, storey)[pane, None]
            colours[frame] = self._wall * 1.2
            courses = (up / 0.3) % 1 < 0.08
            colours[courses & ~pane] *= 0.85
            colours[up < 0.5] *= 0.65
        sky = up > 5.5 + 1.2 * coarse if self._green else up > 9
        colours = colours * light
        colours[sky] = self.skylight * 1.3
        return np.clip(colours, 0.004, 1.6)
