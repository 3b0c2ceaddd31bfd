"""Ray casting: what a camera sees of a scene with people in it, with and without the person in the middle.

Light is one sun with soft shadows, a sky, and light from the ground; each sample of a pixel casts one ray to the sun
and one anywhere for the sky that is hidden. Surfaces scatter evenly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray

from augment.streets.camera import HEIGHT, WIDTH, Camera, Frame
from augment.streets.meshes import Points, normals
from augment.streets.noise import noise
from augment.streets.scene import Scene
from augment.streets.solids import Solid

FAR = 1e6
NEARBY = 1.2  # metres within which something hides the sky
HIDDEN = 0.15  # share of the sky's light that still comes
CLEAR = 0.012  # metres off a surface that rays to the light start: farther than smooth meshes deviate from round
Array = NDArray[np.floating]  # (N, 3) or (N,)
Rows = NDArray[np.int64]


@dataclass
class Surface:
    """What N rays meet.

    Args:
        distance: (N,) along the ray; FAR where there is nothing.
        points: (N, 3).
        normals: (N, 3) unit, towards the camera: smooth, for shading.
        facets: (N, 3) unit, towards the camera: the triangles' own.
        colours: (N, 3).
        of_person: (N,) whether it belongs to a person's mask.
    """

    distance: Array
    points: Array
    normals: Array
    facets: Array
    colours: Array
    of_person: NDArray[np.bool_]

    @classmethod
    def nothing(cls, count: int) -> Surface:
        """Rays that meet nothing."""
        points, outward, facets, colours = (np.zeros((count, 3), np.float32) for _ in range(4))
        return cls(np.full(count, FAR, np.float32), points, outward, facets, colours, np.zeros(count, bool))

    def put(self, rows: Rows, other: Surface) -> None:
        """Replace some rows."""
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)


class Layer:
    """Solids that rays can be cast at together."""

    def __init__(self, solids: Sequence[Solid]):
        self.solids = list(solids)
        sizes = np.array([len(solid.vertices) for solid in self.solids])
        starts = np.cumsum(sizes) - sizes

        def stacked(arrays: Iterable[Points]) -> Array:
            return np.concatenate(list(arrays)).astype(np.float32)

        self._vertices = stacked(solid.vertices for solid in self.solids)
        self._normals = stacked(normals(solid.vertices, solid.faces) for solid in self.solids)
        self._places = stacked(solid.places for solid in self.solids)
        self._faces = np.concatenate([solid.faces + start for solid, start in zip(self.solids, starts, strict=True)])
        self._solid = np.repeat(np.arange(len(self.solids)), [len(solid.faces) for solid in self.solids])
        self._smooth = np.array([solid.smooth for solid in self.solids])
        self._cloth = np.array([solid.cloth for solid in self.solids])
        self._of_person = np.array([solid.of_person for solid in self.solids])
        first, second, third = (self._vertices[self._faces[:, corner]] for corner in range(3))
        self._facets = unit(np.cross(second - first, third - first))
        self._scene = EmbreeScene()
        TriangleMesh(self._scene, self._vertices, self._faces.astype(np.int32))

    def reach(self, origins: Array, directions: Array) -> Array:
        """(N,) distance to the first thing that each ray meets, FAR or more where there is none."""
        return self._scene.run(origins, directions, query="DISTANCE")

    def blocked(self, origins: Array, directions: Array) -> NDArray[np.bool_]:
        """(N,) whether each ray meets anything."""
        return self._scene.run(origins, directions, query="OCCLUDED") >= 0

    def look(self, origin: Points, directions: Array, nearer: Array) -> tuple[Rows, Surface]:
        """Which rays (indices) from one origin meet something nearer than (N,) distances, and what."""
        origins = np.repeat(origin.astype(np.float32)[None], len(directions), 0)
        found = self._scene.run(origins, directions, output=1)
        rows = np.flatnonzero((found["primID"] >= 0) & (found["tfar"] < nearer))
        face, distance, u, v = (found[name][rows] for name in ("primID", "tfar", "u", "v"))
        corners, solid = self._faces[face], self._solid[face]
        first, second, third = corners.T
        rest, u, v = (1 - u - v)[:, None], u[:, None], v[:, None]

        def interpolated(values: Array) -> Array:
            return values[first] * rest + values[second] * u + values[third] * v

        places, smooth = interpolated(self._places), self._smooth[solid]
        facets = self._facets[face]
        facing = np.where(smooth[:, None], unit(interpolated(self._normals)), facets)
        cloth = self._cloth[solid]
        facing[cloth] = _folded(facing[cloth], places[cloth])
        colours = np.empty((len(rows), 3), np.float32)
        for number in np.unique(solid):
            colours[solid == number] = self.solids[number].paint(places[solid == number])
        # Both normals on the camera's side; a smooth one that still looks away is turned to just not do so.
        way = directions[rows]
        behind = dot(facets, way) > 0
        facets[behind] *= -1
        facing[behind] *= -1
        facing = unit(facing - np.maximum(dot(facing, way), 0)[:, None] * way)
        points = origin.astype(np.float32) + way * distance[:, None]
        return rows, Surface(distance, points, facing, facets, colours, self._of_person[solid])


@dataclass(frozen=True)
class Picture:
    """What a camera saw.

    Args:
        light: (HEIGHT, WIDTH, 3) linear light.
        empty: (HEIGHT, WIDTH, 3) the same without the person in the middle, their shadow and what they carry.
        mask: (HEIGHT, WIDTH) share of each pixel that the person in the middle fills.
    """

    light: NDArray[np.floating]
    empty: NDArray[np.floating]
    mask: NDArray[np.floating]


def render(
    scene: Scene,
    camera: Camera,
    frame: Frame,
    around: Sequence[Layer],  # everything but the person in the middle; the first is the scene's own
    person: Layer,
    random: np.random.Generator,  # of shadows' edges and hidden sky
    samples: int = 2,  # a side of the grid of rays in a pixel
) -> Picture:
    """Cast a grid of rays through each pixel."""
    rays = camera.directions(frame, samples)
    empty = _surroundings(scene, camera, rays, around)
    rows, front = person.look(camera.position, rays, empty.distance)
    sun, sky = _light_rays(scene, len(rays), samples, random)

    # What surrounds the person, without their shadow and with it.
    lit = np.flatnonzero(empty.distance < FAR)
    light_empty = empty.colours.copy()
    open_sun, open_sky = _open(empty, lit, sun, sky, around)
    light_empty[lit] *= _light(scene, empty, lit, sun, open_sun, open_sky)
    light = light_empty.copy()
    person_sun, person_sky = _open(empty, lit, sun, sky, [person])
    changed = (person_sun < open_sun) | (person_sky < open_sky)
    shaded = lit[changed]
    open_sun, open_sky = np.minimum(open_sun, person_sun)[changed], np.minimum(open_sky, person_sky)[changed]
    light[shaded] = empty.colours[shaded] * _light(scene, empty, shaded, sun, open_sun, open_sky)

    # The person.
    whole = Surface.nothing(len(rays))
    whole.put(rows, front)
    open_sun, open_sky = _open(whole, rows, sun, sky, [*around, person])
    light[rows] = front.colours * _light(scene, whole, rows, sun, open_sun, open_sky)
    mask = np.zeros(len(rays), np.float32)
    mask[rows[front.of_person]] = 1
    return Picture(_pixels(light, samples), _pixels(light_empty, samples), _pixels(mask, samples))


def unit(vectors: Array) -> Array:
    """Vectors (N, 3) at length 1; 0 stays 0."""
    return vectors / np.maximum(np.sqrt(dot(vectors, vectors)), 1e-12)[:, None]


def dot(a: Array, b: Array) -> Array:
    """(N,) inner products of the rows of two (N, 3)."""
    return np.einsum("ni,ni->n", a, b)


def in_sight(camera: Camera, layers: Sequence[Layer], person: Layer, points: Points, radii: NDArray[np.floating],
             ) -> NDArray[np.bool_]:  # fmt: skip
    """(N,) whether the camera's way to each point meets the person first, within a radius (metres) of the point."""
    distance = np.linalg.norm(points - camera.position, axis=1)
    way = unit((points - camera.position).astype(np.float32))
    rows, surface = person.look(camera.position, way, np.full(len(points), FAR, np.float32))
    first = np.full(len(points), FAR)
    first[rows[surface.of_person]] = surface.distance[surface.of_person]
    origins = np.repeat(camera.position.astype(np.float32)[None], len(points), 0)
    others = np.min([layer.reach(origins, way) for layer in layers], axis=0)
    return (np.abs(first - distance) < radii) & (others > first)


def _surroundings(scene: Scene, camera: Camera, rays: Array, around: Sequence[Layer]) -> Surface:
    """Ground, backdrop (at FAR, with the light it sends as its colour), and solids."""
    surface = Surface.nothing(len(rays))
    distance = np.where(rays[:, 2] < -1e-4, -camera.height / np.minimum(rays[:, 2], -1e-6), FAR).astype(np.float32)
    points = camera.position.astype(np.float32) + rays * distance[:, None]
    end = scene.far - camera.position[1]  # of the ground, from the camera
    on_ground = np.hypot(points[:, 0], points[:, 1] - camera.position[1]) < end
    rows = np.flatnonzero(on_ground)
    surface.distance[rows], surface.points[rows] = distance[rows], points[rows]
    surface.normals[rows] = surface.facets[rows] = (0, 0, 1)
    surface.colours[rows] = scene.ground(points[rows])
    surface.colours[~on_ground] = scene.backdrop(rays[~on_ground], camera.height, end)
    for layer in around:
        surface.put(*layer.look(camera.position, rays, surface.distance))
    return surface


def _light_rays(scene: Scene, count: int, side: int, random: np.random.Generator) -> tuple[Array, Array]:
    """Directions (count, 3) to a point of the sun, and to anywhere on the sphere.

    The rays of one pixel divide the sphere's heights among them, which makes hidden sky less noisy.
    """
    sun = unit(scene.sun.astype(np.float32) + scene.spread * random.standard_normal((count, 3), np.float32))
    row, column = np.divmod(np.arange(count), WIDTH * side)
    part = (row % side) * side + column % side
    height = 2 * (part + random.random(count, np.float32)) / side**2 - 1
    around = 2 * np.pi * random.random(count, np.float32)
    level = np.sqrt(np.maximum(1 - height**2, 0))
    return sun, np.stack([level * np.cos(around), level * np.sin(around), height], 1).astype(np.float32)


def _open(surface: Surface, rows: Rows, sun: Array, sky: Array, layers: Sequence[Layer]) -> tuple[Array, Array]:
    """Share of the sun (0 or 1) and of the sky (HIDDEN or 1) that surface points see past the layers."""
    outward = surface.normals[rows]
    origins = surface.points[rows] + np.float32(CLEAR) * surface.facets[rows]
    open_sun = dot(outward, sun[rows]) > 0
    upward = unit(outward + sky[rows])
    open_sky = np.ones(len(rows), np.float32)
    for layer in layers:
        facing = np.flatnonzero(open_sun)
        open_sun[facing] = ~layer.blocked(origins[facing], sun[rows[facing]])
        open_sky[layer.reach(origins, upward) < NEARBY] = HIDDEN
    return open_sun.astype(np.float32), open_sky


def _light(scene: Scene, surface: Surface, rows: Rows, sun: Array, open_sun: Array, open_sky: Array) -> Array:
    """(len(rows), 3) light on surface points from sky, ground and sun."""
    outward = surface.normals[rows]
    above = (0.5 + 0.5 * outward[:, 2:]) * open_sky[:, None]
    below = open_sky[:, None] - above
    ground = 0.6 * scene.paving * (scene.skylight.mean() + 0.4 * scene.sunlight.mean())
    direct = np.maximum(dot(outward, sun[rows]), 0) * open_sun
    if scene.trees:
        reached = np.flatnonzero(direct)
        direct[reached] *= scene.shade(surface.points[rows[reached]])
    parts = (above, scene.skylight), (below, ground), (direct[:, None], scene.sunlight)
    return np.sum([share * light.astype(np.float32) for share, light in parts], axis=0)


def _folded(outward: Array, places: Array) -> Array:
    """Normals of cloth, tilted by fine folds that lie where they lie at rest."""
    x, y, z = places.T
    across = noise(2.2 * x + 0.3, 1.4 * z + y)
    along = noise(2.2 * x + 0.7, 1.4 * z + 1.1 * y, 1)
    return unit(outward + np.float32(0.16) * np.stack([across, along, 0.5 * (across + along)], 1))


def _pixels(samples: NDArray[np.floating], side: int) -> NDArray[np.floating]:
    """Means over the rays of each pixel."""
    grid = samples.reshape(HEIGHT * side, WIDTH * side, -1).astype(np.float32)
    return np.asarray(cv2.resize(grid, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
