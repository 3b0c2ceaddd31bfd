"""Redraw one person in the pose of another image."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import torch
from PIL import Image

from augment import methods
from augment.data.batch import Batch
from augment.poses.estimators import ESTIMATORS
from pipelines.console import stage
from pipelines.params import PoseParams
from pipelines.runtime import set_up
from reid.common.atomic import replacing
from reid.common.errors import InputError
from reid.files.images import load, stored_size, to_float, to_uint8


def run(
    gan: Path,
    image: Path,
    pose: Path,
    background: Path | None,
    out: Path,
    estimator: PoseParams,
    device_name: str,
    threads: int,
) -> None:
    """Write to `out` the person in `image`, redrawn by the generator in `gan` in the pose of the person in `pose`.

    A generator that was trained with backgrounds needs one to draw behind the person, in the file `background`; others
    must not get one.

    Raises:
        InputError: an image does not show both shoulders and hips; a background is missing, or cannot be used; `out` is
            no PNG, or one of the images.
    """
    if out.suffix != ".png" or out.resolve() in (image.resolve(), pose.resolve()):
        raise InputError(f"expected --out to be a new file that ends in .png, got {out}")
    device = set_up(device_name, threads)
    with stage("generate", f"{image} in the pose of {pose}") as say:
        method = methods.load(gan, device)
        if method.needs.background != (background is not None):
            needs = (
                "needs a --background" if method.needs.background else "was trained without backgrounds: leave it out"
            )
            raise InputError(f"the generator in {gan} {needs}")
        size = method.size
        files = pd.DataFrame(
            {"archive": [str(file.parent) for file in (image, pose)], "image": [image.name, pose.name]}
        )
        options = {**estimator.options["blazepose"], "processes": 1}
        poses = ESTIMATORS["blazepose"](**options).estimate(files)
        images = load(files["archive"], files["image"], size)
        poses = poses.scaled([stored_size(file) for file in (image, pose)], size)
        can_use = [bool(method.usable_source(poses[0])), bool(method.usable_target(poses[1]))]
        for file, usable in zip((image, pose), can_use, strict=True):
            if not usable:
                raise InputError(
                    f"{file}: no person was found in a pose that the generator in {gan} can use; use a crop of a whole "
                    "body that shows both shoulders and both hips"
                )
        source = to_float(images[:1])[:, None]
        drawn_behind = None if background is None else to_float(load([str(background.parent)], [background.name], size))
        batch = Batch(source, poses[:1][:, None], poses[1:], background=drawn_behind).to(device)
        with torch.inference_mode():
            generated = to_uint8(method.generate(batch))[0]
        with replacing(out) as new:
            Image.fromarray(generated.permute(1, 2, 0).cpu().numpy()).save(new, "PNG")
        say(str(out))
