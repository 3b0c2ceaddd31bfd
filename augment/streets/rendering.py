"""Ray casting: what a camera sees of a scene with people, with and without the person whom the picture is of.

Light comes from a sun with soft shadows, from the sky, and from the ground. Each sample of a pixel casts one ray to a
random point of the sun, and one in a random direction to see whether something nearby hides the sky. Surfaces are
diffuse (Lambertian).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache

import cv2
import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore import EmbreeDevice
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray

from augment.streets.camera import HEIGHT, WIDTH, Camera, Frame
from augment.streets.meshes import Points, normals
from augment.streets.noise import noise
from augment.streets.scene import Scene
from augment.streets.solids import Solid

FAR = 1e6  # distance of a ray that meets nothing
NEARBY = 1.2  # metres within which an object hides the sky
HIDDEN = 0.15  # share of the sky's light that arrives where an object hides the sky
# Rays to the light start so many metres off the surface: further than the triangles of a smooth mesh are from the round
# surface that they stand for, or it would throw shadows on itself.
CLEAR = 0.012
Array = NDArray[np.floating]  # (N, 3) or (N,)
Indices = NDArray[np.int64]


@dataclass
class Surface:
    """The surface points that N rays meet.

    Args:
        distance: (N,) along the ray, in metres; FAR where it meets nothing.
        points: (N, 3) in world coordinates.
        normals: (N, 3) unit normals towards the camera, interpolated on smooth meshes, for shading.
        facets: (N, 3) unit normals towards the camera, of the triangles.
        colours: (N, 3) linear RGB.
        of_person: (N,) whether the point belongs to a person's mask.
    """

    distance: Array
    points: Array
    normals: Array
    facets: Array
    colours: Array
    of_person: NDArray[np.bool_]

    @classmethod
    def nothing(cls, count: int) -> Surface:
        """The surface of `count` rays that meet nothing."""
        points, outward, facets, colours = (np.zeros((count, 3), np.float32) for _ in range(4))
        return cls(np.full(count, FAR, np.float32), points, outward, facets, colours, np.zeros(count, bool))

    def put(self, indices: Indices, other: Surface) -> None:
        """Replace what the rays of these indices meet."""
        for field in fields(self):
            getattr(self, field.name)[indices] = getattr(other, field.name)


@cache
def _embree() -> EmbreeDevice:
    """The ray caster, in one thread: it has no other way to be told than the cores that it may use when it starts."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        return EmbreeDevice()
    finally:
        os.sched_setaffinity(0, cores)


class Layer:
    """A set of solids that rays are cast at together."""

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
        self._scene = EmbreeScene(_embree())
        TriangleMesh(self._scene, self._vertices, self._faces.astype(np.int32))

    def reach(self, origins: Array, directions: Array) -> Array:
        """(N,) distance to the first solid that each ray meets, FAR or more where it meets none."""
        return self._scene.run(origins, directions, query="DISTANCE")

    def blocked(self, origins: Array, directions: Array) -> NDArray[np.bool_]:
        """(N,) whether each ray meets a solid."""
        return self._scene.run(origins, directions, query="OCCLUDED") >= 0

    def look(self, origin: Points, directions: Array, nearer: Array) -> tuple[Indices, Surface]:
        """Which of N rays from one origin meet a solid within `nearer` (N,) metres, as indices, and what they meet."""
        origins = np.repeat(origin.astype(np.float32)[None], len(directions), 0)
        hits = self._scene.run(origins, directions, output=1)
        indices = np.flatnonzero((hits["primID"] >= 0) & (hits["tfar"] < nearer))
        face, distance, u, v = (hits[name][indices] for name in ("primID", "tfar", "u", "v"))
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
        colours = np.empty((len(indices), 3), np.float32)
        for number in np.unique(solid):
            colours[solid == number] = self.solids[number].paint(places[solid == number])
        # Both normals are turned to the camera's side. An interpolated one that still points away from the camera is
        # made perpendicular to the ray.
        ray = directions[indices]
        behind = dot(facets, ray) > 0
        facets[behind] *= -1
        facing[behind] *= -1
        facing = unit(facing - np.maximum(dot(facing, ray), 0)[:, None] * ray)
        points = origin.astype(np.float32) + ray * distance[:, None]
        return indices, Surface(distance, points, facing, facets, colours, self._of_person[solid])


@dataclass(frozen=True)
class Picture:
    """What a camera sees.

    Args:
        light: (HEIGHT, WIDTH, 3) linear light.
        empty: (HEIGHT, WIDTH, 3) the same without the picture's person, their shadow and what they carry.
        mask: (HEIGHT, WIDTH) share of each pixel that the picture's person covers.
    """

    light: NDArray[np.floating]
    empty: NDArray[np.floating]
    mask: NDArray[np.floating]


def render(
    scene: Scene,
    camera: Camera,
    frame: Frame,
    around: Sequence[Layer],  # everything but the picture's person; the first is the scene's own
    person: Layer,  # the picture's person
    random: np.random.Generator,  # draws the rays to sun and sky
    samples: int = 2,  # rays along each side of a pixel
) -> Picture:
    """Render a picture with samples x samples rays in each pixel."""
    rays = camera.directions(frame, samples)
    empty = _surroundings(scene, camera, rays, around)
    indices, front = person.look(camera.position, rays, empty.distance)
    sun, sky = _light_rays(scene, len(rays), samples, random)

    # The surroundings, first without the person's shadow, then with it.
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
    whole.put(indices, front)
    open_sun, open_sky = _open(whole, indices, sun, sky, [*around, person])
    light[indices] = front.colours * _light(scene, whole, indices, sun, open_sun, open_sky)
    mask = np.zeros(len(rays), np.float32)
    mask[indices[front.of_person]] = 1
    return Picture(_pixels(light, samples), _pixels(light_empty, samples), _pixels(mask, samples))


def unit(vectors: Array) -> Array:
    """Vectors (N, 3) scaled to length 1; 0 stays 0."""
    return vectors / np.maximum(np.sqrt(dot(vectors, vectors)), 1e-12)[:, None]


def dot(a: Array, b: Array) -> Array:
    """(N,) inner products of vectors (N, 3) with vectors (N, 3)."""
    return np.einsum("ni,ni->n", a, b)


def in_sight(camera: Camera, layers: Sequence[Layer], person: Layer, points: Points, radii: NDArray[np.floating],
             ) -> NDArray[np.bool_]:  # fmt: skip
    """(N,) whether the camera sees each point of a person.

    It does where the ray to the point first meets the person, at most the point's radius (metres) from the point.
    """
    distance = np.linalg.norm(points - camera.position, axis=1)
    way = unit((points - camera.position).astype(np.float32))
    indices, surface = person.look(camera.position, way, np.full(len(points), FAR, np.float32))
    first = np.full(len(points), FAR)
    first[indices[surface.of_person]] = surface.distance[surface.of_person]
    origins = np.repeat(camera.position.astype(np.float32)[None], len(points), 0)
    others = np.min([layer.reach(origins, way) for layer in layers], axis=0)
    return (np.abs(first - distance) < radii) & (others > first)


def _surroundings(scene: Scene, camera: Camera, rays: Array, around: Sequence[Layer]) -> Surface:
    """Ground, backdrop (at distance FAR, its colour being the light that it sends), and the solids of `around`."""
    surface = Surface.nothing(len(rays))
    distance = np.where(rays[:, 2] < -1e-4, -camera.height / np.minimum(rays[:, 2], -1e-6), FAR).astype(np.float32)
    points = camera.position.astype(np.float32) + rays * distance[:, None]
    end = scene.far - camera.position[1]  # distance from the camera at which the ground ends
    on_ground = np.hypot(points[:, 0], points[:, 1] - camera.position[1]) < end
    indices = np.flatnonzero(on_ground)
    surface.distance[indices], surface.points[indices] = distance[indices], points[indices]
    surface.normals[indices] = surface.facets[indices] = (0, 0, 1)
    surface.colours[indices] = scene.ground(points[indices])
    surface.colours[~on_ground] = scene.backdrop(rays[~on_ground], camera.height, end)
    for layer in around:
        surface.put(*layer.look(camera.position, rays, surface.distance))
    return surface


def _light_rays(scene: Scene, count: int, side: int, random: np.random.Generator) -> tuple[Array, Array]:
    """Directions (count, 3) to random points of the sun, and random directions on the whole sphere.

    The rays of a pixel are stratified: each takes its own range of the sphere's heights, which lowers the noise.
    """
    sun = unit(scene.sun.astype(np.float32) + scene.spread * random.standard_normal((count, 3), np.float32))
    y, x = np.divmod(np.arange(count), WIDTH * side)
    stratum = (y % side) * side + x % side
    height = 2 * (stratum + random.random(count, np.float32)) / side**2 - 1
    around = 2 * np.pi * random.random(count, np.float32)
    level = np.sqrt(np.maximum(1 - height**2, 0))
    return sun, np.stack([level * np.cos(around), level * np.sin(around), height], 1).astype(np.float32)


def _open(surface: Surface, indices: Indices, sun: Array, sky: Array, layers: Sequence[Layer]) -> tuple[Array, Array]:
    """Shares of sun (0 or 1) and sky (HIDDEN or 1) that reach the surface points of these indices past the layers."""
    outward = surface.normals[indices]
    origins = surface.points[indices] + np.float32(CLEAR) * surface.facets[indices]
    open_sun = dot(outward, sun[indices]) > 0
    upward = unit(outward + sky[indices])
    open_sky = np.ones(len(indices), np.float32)
    for layer in layers:
        facing = np.flatnonzero(open_sun)
        open_sun[facing] = ~layer.blocked(origins[facing], sun[indices[facing]])
        open_sky[layer.reach(origins, upward) < NEARBY] = HIDDEN
    return open_sun.astype(np.float32), open_sky


def _light(scene: Scene, surface: Surface, indices: Indices, sun: Array, open_sun: Array, open_sky: Array) -> Array:
    """(len(indices), 3) light that reaches the surface points of these indices from sky, ground and sun."""
    outward = surface.normals[indices]
    above = (0.5 + 0.5 * outward[:, 2:]) * open_sky[:, None]
    below = open_sky[:, None] - above
    ground = 0.6 * scene.paving * (scene.skylight.mean() + 0.4 * scene.sunlight.mean())
    direct = np.maximum(dot(outward, sun[indices]), 0) * open_sun
    if scene.trees:
        reached = np.flatnonzero(direct)
        direct[reached] *= scene.shade(surface.points[indices[reached]])
    parts = (above, scene.skylight), (below, ground), (direct[:, None], scene.sunlight)
    return np.sum([share * light.astype(np.float32) for share, light in parts], axis=0)


def _folded(outward: Array, places: Array) -> Array:
    """Normals of cloth (N, 3), tilted by fine folds, which are a function of the position at rest."""
    x, y, z = places.T
    across = noise(2.2 * x + 0.3, 1.4 * z + y)
    along = noise(2.2 * x + 0.7, 1.4 * z + 1.1 * y, 1)
    return unit(outward + np.float32(0.16) * np.stack([across, along, 0.5 * (across + along)], 1))


def _pixels(samples: NDArray[np.floating], side: int) -> NDArray[np.floating]:
    """The mean over the rays of each pixel."""
    grid = samples.reshape(HEIGHT * side, WIDTH * side, -1).astype(np.float32)
    return np.asarray(cv2.resize(grid, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
