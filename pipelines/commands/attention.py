"""Where a generator from several sources looks: a sheet, and whether it looks at sources that show what it draws."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from matplotlib import colormaps
from numpy.typing import NDArray
from scipy.stats import t
from torch import Tensor

from augment import methods
from augment.data.batch import Batch
from augment.data.people import People
from augment.data.tuples import Tuples
from augment.methods.multi_source.method import MultiSourceGAN
from augment.poses.estimators.truth import TRUTH, Truth
from augment.scores.attention import at_joints, relative, with_black_source
from augment.scores.masks import person_mask
from pipelines import layout
from pipelines.console import stage
from pipelines.people import read_pairs, tuples_of_pairs, usable_pairs
from pipelines.runtime import Threads, describe, set_up
from reid.common.errors import InputError
from reid.common.progress import progress
from reid.files import samples
from reid.files.images import Archive, pictures, to_float
from reid.pictures.sheets import sheet

COLOURS = "viridis"  # dark: the source is not looked at; yellow: it alone is
BATCH = 16  # samples that are drawn at a time
LEVEL = 0.95  # of intervals


class Measured(NamedTuple):
    """Relative attention (`augment.scores.attention`) of P samples; NaN where a sample has no such source."""

    ordinary: NDArray[np.float64]  # (P,) of the last source, where the person is drawn
    black: NDArray[np.float64]  # (P,) of it, when it is black
    seen: NDArray[
        np.float64
    ]  # (P,) at joints, of sources that show the joint; of joints for which there are both kinds
    hidden: NDArray[np.float64]  # (P,) of sources that do not


def run(name: str, out: Path, pairs: int, seed: int, device_name: str, threads: Threads, size: tuple[int, int]) -> None:
    """Write OUT.png, a sheet, and OUT.tsv, numbers.

    The sheet has the test pairs that are drawn during training: their sources, each with the attention that it gets
    when the person is drawn from all of them (none where they are averaged; grey where the person has no such source),
    the target, what is drawn from one source, from at most two, ..., from all, and the last source's attention and the
    result when that source is black.

    OUT.tsv has the relative attention of the last source and of the same one when it is black; and at the target's
    joints, of sources that show the joint and of those that do not: in which something hides it, by the truth that
    comes with rendered data, or else whose pose lacks it. Means over people, with 95 % intervals. A generator that
    averages its sources gets no OUT.tsv.

    Args:
        name: of a trained generator from several sources.
        out: table and figure to write, without suffix.
        pairs: test pairs that are measured, at most.
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
        numbers, picture = (out.with_name(out.name + suffix) for suffix in (".tsv", ".png"))
        people, _, tuples = _read(method, samples.read_parquet(layout.pairs("shown")), seed, size, name)
        draw(method, people, tuples, device, picture, name)
        say(str(picture))
        people, table, tuples = _read(method, samples.read_parquet(layout.pairs("test")).head(pairs), seed, size, name)
        with torch.inference_mode():
            found = measure(method, people, tuples, shown_joints(table, people), device)
        if found is None:
            say(f"{name} averages its sources: there is no attention to measure")
            return
        whose = table["identity"].to_numpy()[tuples.targets.numpy()]
        lines = [
            {"relative attention of": title, **interval(values, whose)}
            for title, values in (
                ("the last source", found.ordinary),
                ("the last source, black", found.black),
                ("black against ordinary", found.black - found.ordinary),
                ("sources that show a joint, at it", found.seen),
                ("sources that do not, at it", found.hidden),
                ("sources that show it against those that do not", found.seen - found.hidden),
            )
        ]
        result = pd.DataFrame(lines)
        samples.write_tsv(result, numbers, "%.4g")
        say("\n" + result.to_string(index=False, float_format="%.3f"))
        say(str(numbers))


def measure(
    method: MultiSourceGAN, people: People, tuples: Tuples, shown: Tensor, device: torch.device
) -> Measured | None:
    """Measure the attention of P samples; None where the method averages its sources.

    Args:
        method: on the device.
        people: N images.
        tuples: P samples.
        shown: (N, 18) bool: which joints each image shows.
        device: to work on.
    """
    parts = []
    for part in progress(tuples.split(BATCH), "attention", "batch", len(tuples.split(BATCH))):
        batch = people.batch(part, with_target=False).to(device)
        attention, with_black = method.attention(batch), method.attention(with_black_source(batch))
        if attention is None or with_black is None:
            return None
        valid, rows = batch.valid(), torch.arange(len(batch))
        last = valid.sum(1) - 1
        mask = person_mask(batch.target_pose, method.size).to(device).float()

        def of_last(attention: Tensor) -> Tensor:
            values = (relative(attention, valid)[rows, last] * mask).sum((1, 2)) / mask.sum((1, 2))  # noqa: B023
            return torch.where(last > 0, values, torch.nan)  # noqa: B023

        joints = at_joints(relative(attention, valid), valid, batch.target_pose, shown[part.sources].to(device))
        both = joints.seen.isfinite() & joints.hidden.isfinite()
        means = [torch.where(both, values, torch.nan).nanmean(1) for values in joints]
        parts.append(torch.stack([of_last(attention), of_last(with_black), *means]).double().cpu())
    return Measured(*torch.cat(parts, 1).numpy())


def shown_joints(table: pd.DataFrame, people: People) -> Tensor:
    """(N, 18) bool: which joints are in sight, by the truth of rendered data; without it, which ones are known."""
    for path in table["archive"].unique():
        with Archive(path) as archive:
            if TRUTH not in archive.names():
                return people.poses.visible
    return Truth(only_in_sight=True).estimate(table).visible


def interval(values: NDArray[np.float64], people: NDArray[np.int64]) -> dict[str, float]:
    """mean, low, high: the mean over people of their own means, with a 95 % interval; and how many samples there are.

    Args:
        values: (P,), NaN to leave out.
        people: (P,).
    """
    known = np.isfinite(values)
    means = pd.Series(values[known]).groupby(people[known]).mean()
    half = t.ppf((1 + LEVEL) / 2, len(means) - 1) * means.sem() if len(means) > 1 else float("nan")
    return {"mean": means.mean(), "low": means.mean() - half, "high": means.mean() + half, "samples": int(known.sum())}


def draw(method: MultiSourceGAN, people: People, tuples: Tuples, device: torch.device, path: Path, name: str) -> None:
    """Draw the sheet of `run`."""
    batch = people.to(device).batch(tuples, with_target=False)
    valid, most = batch.valid(), method.needs.sources
    with torch.inference_mode():
        attention = method.attention(batch)
        drawn = [method.generate(batch.first_sources(count)) for count in range(1, most + 1)]
    lines: list[tuple[str, list[NDArray[np.uint8]]]] = []
    for which in range(most):
        sources = torch.where(valid[:, which, None, None, None], batch.source[:, which], 0.0)
        lines.append((f"source {which + 1}", pictures(sources)))
        if attention is not None:
            lines.append(("attention", coloured(attention[:, which], valid[:, which])))
    lines.append(("target", pictures(to_float(people.images[tuples.targets]))))
    for count, images in enumerate(drawn, 1):
        lines.append((f"from {count}", pictures(images)))
    if attention is not None:
        lines += _with_black(method, batch)
    sheet(lines, path, height=128, title=f"{name}: people who are not in the training set, by number of sources")


def _with_black(method: MultiSourceGAN, batch: Batch) -> list[tuple[str, list[NDArray[np.uint8]]]]:
    """Lines of the sheet: the last source's attention when it is black, and what is drawn then."""
    batch = with_black_source(batch)
    with torch.inference_mode():
        attention, drawn = method.attention(batch), method.generate(batch)
    assert attention is not None
    valid, rows = batch.valid(), torch.arange(len(batch))
    last = valid.sum(1) - 1
    return [("last one black", coloured(attention[rows, last], last > 0)), ("from all", pictures(drawn))]


def _read(
    method: MultiSourceGAN, chosen: pd.DataFrame, seed: int, size: tuple[int, int], name: str
) -> tuple[People, pd.DataFrame, Tuples]:
    people, table = read_pairs("gallery", chosen, size, method.needs)
    chosen = usable_pairs(method, chosen, people, table, name)
    return people, table, tuples_of_pairs(method, chosen, people, table, seed)


def coloured(attention: Tensor, valid: Tensor) -> list[NDArray[np.uint8]]:
    """Attention (B, H, W) in 0..1 as B pictures; those of sources that are not valid are grey."""
    maps = (255 * colormaps[COLOURS](attention.float().cpu().numpy())[..., :3]).astype(np.uint8)
    maps[~valid.cpu().numpy()] = 127
    return list(maps)
