"""Draw people between two, of images or of noise (Sec. 4.4 of the CVPR 2018 paper)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image

from augment import methods
from augment.methods.disentangled.manipulation import encoded, from_noise, interpolated, noise, noise_of
from augment.methods.disentangled.method import Disentangled, Factor
from pipelines.commands.generate import check_poses, people_in
from pipelines.console import stage
from pipelines.runtime import set_up
from reid.common.atomic import replacing
from reid.common.errors import InputError
from reid.files.images import to_float, to_uint8


def run(
    gan: Path,
    images: Sequence[Path],
    factors: Sequence[Factor],
    steps: int,
    seed: int,
    out: Path,
    device_name: str,
    threads: int,
) -> None:
    """Write to `out` so many images side by side, from one person to another.

    Args:
        gan: folder of a trained disentangled generator.
        images: two pictures of people, or none: then both people are made of noise.
        factors: that change; the others stay the first person's. Without any, all change.
        steps: images, the ends among them.
        seed: of the noise.
        out: PNG to write.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.

    Raises:
        InputError: there is one image or more than two, or one shows nobody, or nobody's shoulders and hips; the
            generator is no disentangled one, has no such factor, or has not learnt to make it of noise; `out` is no
            PNG, or one of the images.
    """
    if out.suffix != ".png" or out.resolve() in [file.resolve() for file in images]:
        raise InputError(f"expected --out to be a new file that ends in .png, got {out}")
    if len(images) not in (0, 2):
        raise InputError(f"expected two pictures of people, or none to make both of noise, got {len(images)}")
    device = set_up(device_name, threads)
    between_whom = " to ".join(map(str, images)) or "two people of noise"
    with stage("interpolate", f"{between_whom}, by {gan}") as say:
        method = methods.load(gan, device)
        if not isinstance(method, Disentangled):
            raise InputError(f"the generator in {gan} does not tell foreground, background and pose apart")
        changing = factors or tuple(method.codes)
        for factor in changing:
            if factor not in method.codes:
                raise InputError(f"the generator in {gan} was trained with `backgrounds: false`, and has no {factor}")
        lacking = [phase for factor in (changing if images else method.codes) if (phase := method.untaught(factor))]
        if lacking or not method.pose_encoder.taught:  # all people are drawn in decoded poses
            phase = (*lacking, "pose")[0]
            raise InputError(f"the generator in {gan} lacks its phase {phase}: train it with iterations of that")
        torch.manual_seed(seed)
        if images:
            pixels, poses = people_in(images, method.size)
            check_poses(images, method.usable_source(poses).tolist(), gan)
            with torch.no_grad():
                own = encoded(method, to_float(pixels).to(device), poses.to(device))
            ends = noise_of(method, own)
        else:
            ends = noise(method, 2, device)
            own = from_noise(method, ends)
        with torch.no_grad():
            drawn = to_uint8(interpolated(method, own.of([0]), ends, changing, steps))
        strip = torch.cat(list(drawn), 2).permute(1, 2, 0)
        with replacing(out) as new:
            Image.fromarray(strip.cpu().numpy()).save(new, "PNG")
        say(str(out))
