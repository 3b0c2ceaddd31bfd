"""Making a training set alpha times as large: each image redrawn in alpha - 1 poses of others (Sec. 5.5)."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from augment.data.people import People
from augment.generators import Generator
from reid.common.checkpoints import Scratch
from reid.common.errors import InputError
from reid.common.progress import progress
from reid.files import samples
from reid.files.images import encode_jpeg, generated_name, to_uint8, write_zip
from reid.randomness.seeds import seed_for

PART = 256  # images between two points that an interrupted run resumes from


def plan(
    table: pd.DataFrame, usable: NDArray[np.bool_], alpha: int, seed: int, origin: str, archive: str
) -> pd.DataFrame:
    """The rows to generate: alpha - 1 draws of each usable training image.

    The target pose of each draw is any usable training image's, chosen by a stream of (seed, image, draw). So the set
    for alpha = 2 is the first draw of the set for alpha = 10, and comparisons over alpha are paired.

    Args:
        table: sample table of the N real training images.
        usable: (N,) whether an image's pose is good enough to be a source and a target.
        alpha: from 2; 1 is no augmentation.
        seed: of the choice of poses.
        origin: the name of the row that these images are for.
        archive: zip that will hold the images.

    Returns:
        sample table of the generated images: identity and camera of their source. Images that are not usable get no
        copies.
    """
    if alpha < 2:
        raise InputError(
            f"alpha must be at least 2, got {alpha}: alpha = 1 is the real training set without augmentation"
        )
    sources = table[usable].sort_values("image", ignore_index=True)
    if sources.empty:
        raise InputError(f"none of the {len(table)} training images has a usable pose: see data/poses/skeletons.png")
    drawn = []
    for draw in range(1, alpha):
        streams = (np.random.default_rng(seed_for(seed, "pose", image, draw)) for image in sources["image"])
        targets = [int(stream.integers(len(sources))) for stream in streams]
        rows = sources.assign(
            image=[generated_name(image, draw) for image in sources["image"]],
            archive=archive,
            origin=origin,
            source=sources["image"],
            pose_of=sources["image"].iloc[targets].to_numpy(),
            draw=draw,
        )
        drawn.append(rows)
    return pd.concat(drawn, ignore_index=True)[list(samples.COLUMNS)]


def synthesise(
    generator: Generator,
    people: People,  # all real training images, with poses
    images: list[str],  # their names, in the order of people
    rows: pd.DataFrame,  # what to generate, from `plan`
    archive: Path,  # zip to write
    scratch: Scratch,  # keeps finished parts until the caller removes it
    batch_size: int = 32,
    quality: int = 95,  # of the JPEGs
) -> None:
    """Generate the images of all rows into a zip; resumes after the last whole part of an interrupted run."""
    index = {name: row for row, name in enumerate(images)}
    source = torch.tensor([index[name] for name in rows["source"]])
    target = torch.tensor([index[name] for name in rows["pose_of"]])
    parts = []
    starts = range(0, len(rows), PART)
    for start in progress(starts, f"generate {len(rows)} images", "part"):
        parts.append(scratch.folder / f"part-{start:08d}.zip")
        if not parts[-1].exists():
            stop = min(start + PART, len(rows))
            drawn = _generate(generator, people, source[start:stop], target[start:stop], batch_size)
            names = rows["image"].iloc[start:stop]
            write_zip(parts[-1], ((name, encode_jpeg(i, quality)) for name, i in zip(names, drawn, strict=True)))
    write_zip(archive, _members(parts))


def draw_pairs(
    generator: Generator,
    people: People,
    source: torch.Tensor,
    target: torch.Tensor,
    scratch: Scratch,
    batch_size: int = 32,
) -> torch.Tensor:
    """Images (P, 3, H, W) uint8 on the CPU of P people in P poses; resumes after the last whole part, as `synthesise`.

    Args:
        generator: in evaluation mode.
        people: images and poses.
        source: (P,) rows of the people that are drawn.
        target: (P,) rows of the people whose poses they are drawn in.
        scratch: keeps finished parts until the caller removes it.
        batch_size: images drawn at a time.
    """
    parts = []
    for start in progress(range(0, len(source), PART), f"generate {len(source)} images", "part"):
        path = scratch.folder / f"part-{start:08d}.npy"
        if not path.exists():
            stop = min(start + PART, len(source))
            drawn = np.stack(list(_generate(generator, people, source[start:stop], target[start:stop], batch_size)))
            partial = path.with_suffix(".partial")
            with partial.open("wb") as file:
                np.save(file, drawn)
            partial.replace(path)
        parts.append(np.load(path))
    return torch.from_numpy(np.concatenate(parts)).permute(0, 3, 1, 2).contiguous()


def _generate(
    generator: Generator, people: People, source: torch.Tensor, target: torch.Tensor, batch_size: int
) -> Iterator[NDArray[np.uint8]]:
    for s, t in zip(source.split(batch_size), target.split(batch_size), strict=True):
        with torch.inference_mode():
            images = to_uint8(generator.generate(people.batch(s, t, with_target=False)))
        yield from images.permute(0, 2, 3, 1).cpu().numpy()


def _members(parts: list[Path]) -> Iterator[tuple[str, bytes]]:
    for part in parts:
        with zipfile.ZipFile(part) as archive:
            for name in archive.namelist():
                yield name, archive.read(name)
