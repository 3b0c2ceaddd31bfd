"""Triangle meshes: normals, smoothing, inflating, clipping, and a few basic solids. Lengths are in metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.floating]  # (N, 3)
Faces = NDArray[np.int64]  # (F, 3): corners of each triangle, counter-clockwise from outside


@dataclass(frozen=True)
class Mesh:
    """A mesh at rest with skinning weights for the body's bones.

    Args:
        vertices: (N, 3) at rest.
        faces: (F, 3).
        weights: (N, B) weight of each bone in the movement of a vertex; those of a vertex sum to 1.
    """

    vertices: Points
    faces: Faces
    weights: NDArray[np.floating]


def normals(vertices: Points, faces: Faces) -> Points:
    """(N, 3) unit normals of the vertices: the area-weighted mean of their triangles' normals; 0 without a triangle."""
    first, second, third = (vertices[faces[:, corner]] for corner in range(3))
    across = np.cross(second - first, third - first)
    total = np.stack(
        [np.bincount(faces.ravel(), np.repeat(across[:, axis], 3), len(vertices)) for axis in range(3)], axis=1
    )
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)


def smoothed(vertices: Points, faces: Faces, rounds: int, where: NDArray[np.bool_] | None = None) -> Points:
    """Laplacian smoothing: `rounds` times each vertex, if in `where` (N,), moves to the mean of its neighbours."""
    edges = np.unique(np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1), axis=0)
    vertex, neighbour = np.concatenate([edges, edges[:, ::-1]]).T
    count = np.bincount(vertex, minlength=len(vertices))
    moving = count > 0 if where is None else (count > 0) & where
    for _ in range(rounds):
        total = np.stack([np.bincount(vertex, vertices[neighbour, axis], len(vertices)) for axis in range(3)], axis=1)
        vertices = np.where(moving[:, None], total / np.maximum(count, 1)[:, None], vertices)
    return vertices


def inflated(vertices: Points, faces: Faces, offset: NDArray[np.floating], rounds: int = 0,
             where: NDArray[np.bool_] | None = None) -> Points:  # fmt: skip
    """A shell around a surface: the surface smoothed, then moved outwards by `offset` (N,).

    What smoothing moved inwards is added to the offset, so that the shell nowhere lies below the surface.
    """
    outward = normals(vertices, faces)
    shell = smoothed(vertices, faces, rounds, where)
    moved_inwards = np.maximum(((vertices - shell) * outward).sum(1), 0)
    return shell + outward * (moved_inwards + offset)[:, None]


def clip(mesh: Mesh, keep: NDArray[np.floating]) -> Mesh:
    """The part of a mesh where `keep` (N,), interpolated linearly, is positive; triangles are cut where it is 0."""
    inside = keep > 0
    kept = inside[mesh.faces].sum(1)
    # Triangles that are cut, their corners rotated so that the one on its own side of the cut comes first.
    cut = mesh.faces[(kept == 1) | (kept == 2)]
    lone = (inside[cut] == (inside[cut].sum(1) == 1)[:, None]).argmax(1)
    cut = cut[np.arange(len(cut))[:, None], (lone[:, None] + np.arange(3)) % 3]
    tip_kept = inside[cut[:, 0]]
    # A new vertex on each edge from that corner; two triangles that share an edge share the vertex.
    edges = np.sort(np.concatenate([cut[:, [0, 1]], cut[:, [0, 2]]]), axis=1)
    edges, edge_of = np.unique(edges.reshape(-1, 2), axis=0, return_inverse=True)
    share = (keep[edges[:, 0]] / (keep[edges[:, 0]] - keep[edges[:, 1]]))[:, None]

    def extended(values: NDArray[np.floating]) -> NDArray[np.floating]:
        return np.concatenate([values, values[edges[:, 0]] * (1 - share) + values[edges[:, 1]] * share])

    left, right = len(keep) + edge_of.reshape(2, -1)
    tips = np.stack([cut[:, 0], left, right], 1)[tip_kept]
    rest = np.concatenate(
        [np.stack([left, cut[:, 1], cut[:, 2]], 1)[~tip_kept], np.stack([left, cut[:, 2], right], 1)[~tip_kept]]
    )
    faces = np.concatenate([mesh.faces[kept == 3], tips, rest])
    return compact(Mesh(extended(mesh.vertices), faces, extended(mesh.weights)))


def compact(mesh: Mesh) -> Mesh:
    """The mesh without vertices that no triangle uses."""
    used, faces = np.unique(mesh.faces, return_inverse=True)
    return Mesh(mesh.vertices[used], faces.reshape(-1, 3), mesh.weights[used])


def joined(parts: list[tuple[Points, Faces]]) -> tuple[Points, Faces]:
    """Several meshes (vertices, faces) as one."""
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in parts)])
    return (
        np.concatenate([vertices for vertices, _ in parts]),
        np.concatenate([faces + start for (_, faces), start in zip(parts, starts[:-1], strict=True)]),
    )


def box(size: tuple[float, float, float], centre: tuple[float, float, float]) -> tuple[Points, Faces]:
    """A box with edges along the axes.

    Example:
        >>> from augment.streets.meshes import box
        >>> vertices, faces = box((2, 4, 6), (0, 0, 3))
        >>> vertices.min(0).tolist(), vertices.max(0).tolist(), faces.shape
        ([-1.0, -2.0, 0.0], [1.0, 2.0, 6.0], (12, 3))
    """
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    faces = np.array([[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
                      [2, 3, 7], [2, 7, 6], [1, 5, 7], [1, 7, 3], [0, 2, 6], [0, 6, 4]])  # fmt: skip
    return corners * size + centre, faces


def tube(start: ArrayLike, end: ArrayLike, radius: float, end_radius: float | None = None, sides: int = 6,
         ) -> tuple[Points, Faces]:  # fmt: skip
    """A tube without ends between two points; `end_radius` makes it a cone."""
    foot, top = np.asarray(start, float), np.asarray(end, float)
    along = (top - foot) / np.linalg.norm(top - foot)
    across = np.cross(along, [0, 0, 1] if abs(along[2]) < 0.9 else [1, 0, 0])
    across /= np.linalg.norm(across)
    angle = np.arange(sides) * 2 * np.pi / sides
    ring = np.cos(angle)[:, None] * across + np.sin(angle)[:, None] * np.cross(along, across)
    corner = np.arange(sides)
    neighbour = (corner + 1) % sides
    faces = np.concatenate(
        [
            np.stack([corner, neighbour, sides + corner], 1),
            np.stack([neighbour, sides + neighbour, sides + corner], 1),
        ]
    )
    return np.concatenate([foot + radius * ring, top + (radius if end_radius is None else end_radius) * ring]), faces


def rounded(size: tuple[float, float, float], centre: Points, roundness: float = 1.0, rings: int = 10,
            ) -> tuple[Points, Faces]:  # fmt: skip
    """A superellipsoid with half axes `size`: an ellipsoid for `roundness` 1, more like a box for less."""
    sides = 2 * rings
    polar, around = np.meshgrid(np.linspace(0, np.pi, rings + 1), np.arange(sides) * 2 * np.pi / sides, indexing="ij")

    def power(values: NDArray[np.floating]) -> NDArray[np.floating]:
        return np.sign(values) * np.abs(values) ** roundness

    unit = [
        power(np.sin(polar)) * power(np.cos(around)),
        power(np.sin(polar)) * power(np.sin(around)),
        power(np.cos(polar)),
    ]
    vertices = np.stack(unit, -1).reshape(-1, 3) * size + centre
    ring, side = (index.ravel() for index in np.meshgrid(np.arange(rings), np.arange(sides), indexing="ij"))
    a, b = ring * sides + side, ring * sides + (side + 1) % sides
    return vertices, np.concatenate([np.stack([a, a + sides, b], 1), np.stack([b, a + sides, b + sides], 1)])
