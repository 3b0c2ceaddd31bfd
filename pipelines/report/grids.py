"""What generators make of a few test people: a grid of people and poses for each, and all of them side by side."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from augment.poses import table as pose_table
from augment.poses.skeleton import skeleton
from pipelines import layout
from reid.files import samples
from reid.files.images import load
from reid.pictures.sheets import Picture, sheet


def read(name: str) -> pd.DataFrame:
    """The images that `score-gan` kept of a generator: columns source, target (names of test images), image (PNG).

    Raises:
        FileNotFoundError: it has not kept them.
    """
    path = layout.gan_grid(name)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist, and the report shows it: run `dvc repro`")
    return samples.read_parquet(path)


def draw_grid(drawn: pd.DataFrame, size: tuple[int, int], path: Path) -> None:
    """Draw a person a line, a target pose a column; above are the targets with their joints, to the left the sources.

    Args:
        drawn: of `read`.
        size: (H, W) of the images.
        path: of the picture to write.
    """
    sources, targets = drawn["source"].unique(), drawn["target"].unique()
    images = drawn.set_index(["source", "target"])["image"]
    corner = np.full((*size, 3), 255, np.uint8)
    lines = [("pose", [corner, *_skeletons(list(targets), size)])]
    for source, picture in zip(sources, _real(list(sources), size), strict=True):
        lines.append(("", [picture, *(_decode(images[source, target]) for target in targets)]))
    sheet(lines, path, height=160)


def draw_side_by_side(drawn: dict[str, pd.DataFrame], size: tuple[int, int], path: Path) -> bool:
    """Draw the pairs that all generators have drawn, a pair a column: source, target, its joints, a line a generator.

    Returns whether there is such a pair; if not, nothing is drawn.

    Args:
        drawn: generator -> of `read`.
        size: (H, W) of the images.
        path: of the picture to write.
    """
    own = {name: _own_poses(table) for name, table in drawn.items()}
    first, *others = own.values()
    pairs = [pair for pair in first.index if all(pair in other.index for other in others)]
    if not pairs:
        return False
    sources, targets = [source for source, _ in pairs], [target for _, target in pairs]
    lines = [
        ("source", _real(sources, size)),
        ("target", _real(targets, size)),
        ("pose", _skeletons(targets, size)),
        *((name, [_decode(images[pair]) for pair in pairs]) for name, images in own.items()),
    ]
    sheet(lines, path, height=160)
    return True


def _own_poses(drawn: pd.DataFrame) -> pd.Series:
    """The images of people in poses of their own, by (source, target): the diagonal of the grid."""
    places = [pd.factorize(drawn[column])[0] for column in ("source", "target")]
    return drawn[places[0] == places[1]].set_index(["source", "target"])["image"]


def _real(names: list[str], size: tuple[int, int]) -> list[Picture]:
    """Test images by their names."""
    archives = samples.read(layout.samples("gallery")).set_index("image")["archive"]
    return list(load(archives.loc[names], names, size).movedim(1, -1).numpy())


def _skeletons(names: list[str], size: tuple[int, int]) -> list[Picture]:
    poses = pose_table.read(layout.poses(), names, size)
    return [skeleton(picture, poses[place]) for place, picture in enumerate(_real(names, size))]


def _decode(data: bytes) -> Picture:
    return np.asarray(Image.open(io.BytesIO(data)))
