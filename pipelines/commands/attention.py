"""Draw test people from one source, from two, and so on, and where the generator looks at each source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from matplotlib import colormaps
from numpy.typing import NDArray
from torch import Tensor

from augment import methods
from augment.methods.multi_source.method import MultiSourceGAN
from pipelines import layout
from pipelines.console import stage
from pipelines.people import read_pairs, tuples_of_pairs, usable_pairs
from pipelines.runtime import Threads, describe, set_up
from reid.common.errors import InputError
from reid.files import samples
from reid.files.images import to_float, to_uint8
from reid.pictures.sheets import sheet

COLOURS = "viridis"  # dark: the source is not looked at; yellow: it alone is


def run(name: str, out: Path, seed: int, device_name: str, threads: Threads, size: tuple[int, int]) -> None:
    """Write a sheet of the test pairs that are drawn during training.

    Of each there are its sources, each with the attention that it gets when the person is drawn from all of them (none
    where they are averaged; grey where the person has no such source), the target, and what is drawn from one source,
    from at most two, ..., from all.

    Args:
        name: of a trained generator from several sources.
        out: PNG to write.
        seed: of the choice of further sources.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.
        size: (H, W) of the images.

    Raises:
        FileNotFoundError: the generator is not trained.
        InputError: its method is another, or can use none of the pairs.
    """
    device = set_up(device_name, threads)
    with stage("attention", f"{name}, on {describe(device)}") as say:
        method = methods.load(layout.gan(name), device)
        if not isinstance(method, MultiSourceGAN):
            raise InputError(f"{name} draws from one source, and has no attention: choose a multi_source method")
        shown = samples.read_parquet(layout.pairs("shown"))
        people, table = read_pairs("gallery", shown, size, method.needs)
        shown = usable_pairs(method, shown, people, table, name)
        tuples = tuples_of_pairs(method, shown, people, table, seed)
        batch = people.to(device).batch(tuples, with_target=False)
        with torch.inference_mode():
            attention = method.attention(batch)
            drawn = [method.generate(batch.first_sources(count)) for count in range(1, method.needs.sources + 1)]
        valid = batch.valid()
        lines: list[tuple[str, list[NDArray[np.uint8]]]] = []
        for which in range(method.needs.sources):
            sources = torch.where(valid[:, which, None, None, None], batch.source[:, which], 0.0)
            lines.append((f"source {which + 1}", pictures(sources)))
            if attention is not None:
                lines.append(("attention", coloured(attention[:, which], valid[:, which])))
        lines.append(("target", pictures(to_float(people.images[tuples.targets]))))
        for count, images in enumerate(drawn, 1):
            lines.append((f"from {count}", pictures(images)))
        sheet(lines, out, height=128, title=f"{name}: people who are not in the training set, by number of sources")
        say(str(out))


def coloured(attention: Tensor, valid: Tensor) -> list[NDArray[np.uint8]]:
    """Attention (B, H, W) in 0..1 as B pictures; those of sources that are not valid are grey."""
    maps = (255 * colormaps[COLOURS](attention.float().cpu().numpy())[..., :3]).astype(np.uint8)
    maps[~valid.cpu().numpy()] = 127
    return list(maps)


def pictures(images: Tensor) -> list[NDArray[np.uint8]]:
    """Images (B, 3, H, W) in [-1, 1] as B pictures (H, W, 3)."""
    return list(to_uint8(images).permute(0, 2, 3, 1).cpu().numpy())
