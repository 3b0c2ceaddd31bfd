"""Generating many images with a trained method, in parts that an interrupted run goes on from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from augment.data.people import People
from augment.data.tuples import Tuples
from augment.methods.contract import Method
from reid.common.atomic import replacing
from reid.common.checkpoints import Scratch
from reid.common.progress import progress
from reid.files.images import encode_jpeg, to_uint8, write_zip, zip_members
from reid.randomness.seeds import seed_for

PART = 256  # images of a part: an interrupted run keeps finished parts
Draw = Callable[[int, int], Tensor]  # (start, stop) to images (stop - start, 3, H, W) in [-1, 1] of these entries
Save = Callable[[Path, int, NDArray[np.uint8]], None]  # (path, index of the first image, images (n, H, W, 3))


def redrawn(method: Method, people: People, tuples: Tuples) -> Draw:
    """What a trained method draws of tuples of source images and a target pose.

    Args:
        method: trained, in evaluation mode.
        people: images and poses of all people that the tuples name; where they have a pose bank, targets are of that.
        tuples: P of them.
    """
    in_bank = people.bank is not None
    return lambda start, stop: method.generate(
        people.batch(tuples.part(start, stop), with_target=False, in_bank=in_bank)
    )


def generate_zip(
    draw: Draw,
    names: list[str],
    archive: Path,
    scratch: Scratch,
    *,
    seed: int,
    batch_size: int = 32,
    quality: int = 95,
) -> None:
    """Generate images into a zip of JPEGs.

    Args:
        draw: what draws them.
        names: P names of the images in the zip.
        archive: zip to write.
        scratch: keeps finished parts until the caller removes it.
        seed: of what is drawn at random while images are generated; each part has a random stream of its own.
        batch_size: images generated at a time.
        quality: of the JPEGs, in 1..100.
    """

    def save(path: Path, start: int, images: NDArray[np.uint8]) -> None:
        part = names[start : start + len(images)]
        write_zip(path, ((name, encode_jpeg(image, quality)) for name, image in zip(part, images, strict=True)))

    write_zip(archive, zip_members(_in_parts(draw, len(names), scratch, seed, batch_size, ".zip", save)))


def generate_images(
    method: Method, people: People, tuples: Tuples, scratch: Scratch, *, seed: int, batch_size: int = 32
) -> Tensor:
    """Images (P, 3, H, W) uint8 on the CPU, one for each of P tuples; arguments as of `redrawn` and `generate_zip`."""

    def save(path: Path, start: int, images: NDArray[np.uint8]) -> None:
        with replacing(path) as new:
            np.save(new, images)

    draw = redrawn(method, people, tuples)
    parts = _in_parts(draw, len(tuples.targets), scratch, seed, batch_size, ".npy", save)
    return torch.from_numpy(np.concatenate([np.load(path) for path in parts])).permute(0, 3, 1, 2).contiguous()


def _in_parts(
    draw: Draw, total: int, scratch: Scratch, seed: int, batch_size: int, suffix: str, save: Save
) -> list[Path]:
    """Generate in parts of PART images, each of which `save` writes to a file in the scratch folder; returns the files.

    Parts that are there already are kept.
    """
    paths = []
    for start in progress(range(0, total, PART), f"generate {total} images", "part"):
        paths.append(scratch.folder / f"part-{start:08d}{suffix}")
        if not paths[-1].exists():
            stop = min(start + PART, total)
            torch.manual_seed(seed_for(seed, "generate", start))
            with torch.inference_mode():
                batches = [draw(at, min(at + batch_size, stop)) for at in range(start, stop, batch_size)]
            images = torch.cat([to_uint8(batch) for batch in batches]).permute(0, 2, 3, 1).cpu().numpy()
            save(paths[-1], start, images)
    return paths
