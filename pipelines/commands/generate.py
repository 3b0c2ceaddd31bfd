"""Redraw one person in the pose of another image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from augment import methods
from augment.data.batch import Batch
from augment.methods.contract import Method
from augment.methods.disentangled.manipulation import recomposed
from augment.methods.disentangled.method import Disentangled, Factor
from augment.poses import Pose
from augment.poses.estimators.blazepose import BlazePose
from augment.scores.detection import PersonDetector
from pipelines.console import stage
from pipelines.runtime import set_up
from reid.common.atomic import replacing
from reid.common.errors import InputError
from reid.files.images import decode, load, stored_size, to_float, to_uint8

# A picture up to so much wider than the generator's, in which a person is at least so high, is a crop.
SHAPE, HEIGHT = 1.25, 0.5
MARGIN = 1.1  # height of what is cut out of a photograph, by that of the person's box
SURE = 0.2  # least confidence of the detector; whether it is a person, the pose estimator decides


def run(
    gan: Path,
    images: Sequence[Path],
    pose: Path | None,
    background: Path | None,
    noise: Sequence[Factor],
    seed: int,
    out: Path,
    device_name: str,
    threads: int,
) -> None:
    """Write to `out` the person in `images`, redrawn by the generator in `gan` in the pose of the person in `pose`.

    All pictures may be crops around one person, or photographs, of which the person whom a detector is surest of is cut
    out.

    Args:
        gan: folder of a trained generator.
        images: of the person; several for generators that take several.
        pose: picture of somebody in the wanted pose; None where the pose is made of noise.
        background: picture to draw behind the person; a disentangled generator leaves out a person who is in it. One
            that was trained with backgrounds needs one, unless it can do without; a disentangled one takes that behind
            the person in the image where none is given.
        noise: what a disentangled generator makes of noise.
        seed: of the noise.
        out: PNG to write.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.

    Raises:
        InputError: an image shows nobody, or nobody's shoulders and hips; a pose or a background is missing, or cannot
            be used; `out` is no PNG, or one of the images.
    """
    given = [file.resolve() for file in (*images, pose, background) if file is not None]
    if out.suffix != ".png" or out.resolve() in given:
        raise InputError(f"expected --out to be a new file that ends in .png, got {out}")
    if pose is None and "pose" not in noise:
        raise InputError("expected --pose, a picture of somebody in the wanted pose, or --noise pose")
    device = set_up(device_name, threads)
    shown = ", ".join(map(str, images)) + (f" in the pose of {pose}" if pose else "")
    with stage("generate", f"{shown}, by {gan}") as say:
        method = methods.load(gan, device)
        size = method.size
        check(method, gan, len(images), pose is not None, background is not None, noise)

        # Cut all people out, find their poses: the last is the target's.
        pictures = [*images, pose or images[0]]
        pixels, poses = people_in(pictures, size)
        can_use = [*method.usable_source(poses[:-1]).tolist(), bool(method.usable_target(poses[-1]))]
        check_poses(pictures, can_use, gan)
        source = to_float(pixels[:-1])[None]
        behind = None if background is None else to_float(load([str(background.parent)], [background.name], size))
        batch = Batch(source, poses[:-1][None], poses[-1:], background=behind).to(device)
        in_background = None
        if background is not None and isinstance(method, Disentangled):
            stored = pd.DataFrame({"archive": [str(background.parent)], "image": [background.name]})
            in_background = BlazePose(processes=1).estimate(stored).scaled([stored_size(background)], size).to(device)
        torch.manual_seed(seed)
        with torch.inference_mode():
            if isinstance(method, Disentangled):
                drawn = recomposed(method, batch, noise, in_background)
            else:
                drawn = method.generate(batch)
            generated = to_uint8(drawn)[0]
        with replacing(out) as new:
            Image.fromarray(generated.permute(1, 2, 0).cpu().numpy()).save(new, "PNG")
        say(str(out))


def check(method: Method, gan: Path, images: int, pose: bool, background: bool, noise: Sequence[Factor]) -> None:
    """Raise InputError where the method in a folder cannot use so many images, a background, or noise for factors.

    Nor may a pose or a background be given that is to be made of noise.
    """
    needs, own = method.needs, method if isinstance(method, Disentangled) else None
    factors = own.codes if own else {}
    if images > needs.sources:
        most = "one image" if needs.sources == 1 else f"{needs.sources} images at most"
        raise InputError(f"the generator in {gan} draws from {most}, got {images}")
    if needs.background and not needs.background_optional and not background:
        raise InputError(f"the generator in {gan} needs a --background")
    if background and not (needs.background or "background" in factors):
        raise InputError(f"the generator in {gan} was trained without backgrounds: leave it out")
    if background and "background" in noise:
        raise InputError("the background is to be made of noise: leave --background out")
    for factor in noise:
        if own and factor not in factors:
            raise InputError(f"the generator in {gan} was trained with `backgrounds: false`, and makes no {factor}")
        if factor not in factors:
            raise InputError(f"the generator in {gan} makes no {factor} of noise: choose a disentangled one")
        if own and own.untaught(factor):
            raise InputError(f"the generator in {gan} has not learnt to make a {factor} of noise")
    if pose and "pose" in noise:
        raise InputError("the pose is to be made of noise: leave --pose out")


def check_poses(pictures: Sequence[Path], can_use: Sequence[bool], gan: Path) -> None:
    """Raise InputError at the first of N pictures of people in whose pose the generator in a folder cannot use them."""
    for file, usable in zip(pictures, can_use, strict=True):
        if not usable:
            raise InputError(
                f"{file}: no person was found in a pose that the generator in {gan} can use; use a picture of a "
                "whole body that shows both shoulders and both hips"
            )


def people_in(pictures: Sequence[Path], size: tuple[int, int]) -> tuple[Tensor, Pose]:
    """The person in each of N pictures, cut out: images (N, 3, H, W) uint8 of `size`, and the poses (N, 18) in them.

    Raises:
        InputError: a picture is no crop, and the detector sees nobody in it, or it cannot be read.
    """
    with TemporaryDirectory() as folder:
        crops = [Path(folder, f"{number}.png") for number in range(len(pictures))]
        for file, crop in zip(pictures, crops, strict=True):
            Image.fromarray(person(decode(file.read_bytes(), str(file)), file, size[1] / size[0])).save(crop)
        files = pd.DataFrame({"archive": folder, "image": [crop.name for crop in crops]})
        poses = BlazePose(processes=1).estimate(files).scaled([stored_size(crop) for crop in crops], size)
        return load(files["archive"], files["image"], size), poses


def person(picture: NDArray[np.uint8], file: Path, aspect: float) -> NDArray[np.uint8]:
    """The part of a picture (H, W, 3) around a person, `aspect` times as wide as high; all of a crop around one.

    Raises:
        InputError: the picture is no crop, and the detector sees nobody; the message names the `file`.
    """
    rows, columns = picture.shape[:2]
    found = PersonDetector().detect(picture)
    left, top, right, bottom = found.boxes[0]
    is_seen, is_shaped = found.scores[0] >= SURE, columns <= SHAPE * aspect * rows
    if is_shaped and (not is_seen or bottom - top >= HEIGHT * rows):
        return picture
    if not is_seen:
        raise InputError(
            f"{file}: no person was found; use a crop around a whole body, {1 / aspect:.2g} times as high as wide"
        )
    height = round(max(MARGIN * (bottom - top), (right - left) / aspect))
    width = round(aspect * height)
    x, y = round((left + right - width) / 2), round((top + bottom - height) / 2)
    edges = [(max(0, -y), max(0, y + height - rows)), (max(0, -x), max(0, x + width - columns)), (0, 0)]
    padded = np.pad(picture, edges, mode="edge")
    return padded[max(0, y) :, max(0, x) :][:height, :width]
