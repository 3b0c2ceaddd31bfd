"""Gather the scores of the variants into the papers' tables, and draw what each makes of the same people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pandas as pd
import torch

from augment import generators
from pipelines import layout
from pipelines.console import stage
from pipelines.params import Params
from pipelines.people import read_pairs
from pipelines.report.published import KEYS, TABLES
from pipelines.report.tables import IMAGE_SCORES
from pipelines.runtime import set_up
from reid.files import samples
from reid.files.images import to_uint8
from reid.pictures.sheets import sheet

OURS = ("l1", "fd", "identity_rank1")  # scores that the papers do not have


def run(params: Params) -> None:
    """Write `data/ablations/report/`: `tables.md`, Tables 5 to 11 and Fig. 11, and `sheet.png`, people by all variants.

    Published numbers stand behind ours on Market-1501 only.

    Raises:
        FileNotFoundError: a score is missing.
    """
    names = list(dict.fromkeys(row.generator for rows in TABLES.values() for row in rows))
    with stage("ablations", f"{len(names) - 1} generators and the real images") as say:
        files = {name: _read(name) for name in names}
        published = params.dataset.name == "market1501"
        parts = ["# Ablations", _caption(params, files)]
        for title, rows in TABLES.items():
            lines = pd.DataFrame([_line(row.title, files[row.generator], row.published, published) for row in rows])
            alignment = ["left", *["right"] * (lines.shape[1] - 1)]
            parts += [f"## {title}", lines.to_markdown(index=False, colalign=alignment, disable_numparse=True)]
        noise = pd.read_csv(layout.gan_noise("full"), sep="\t")
        parts += ["## Fig. 11: noise on the source pose (pixels)", noise.to_markdown(index=False)]
        folder = layout.ABLATIONS / "report"
        folder.mkdir(parents=True, exist_ok=True)
        _draw(params, [name for name in names if name != layout.REAL], folder / "sheet.png")
        (folder / "tables.md").write_text("\n\n".join(parts) + "\n")
        click.echo("\n\n".join(parts))
        say(f"{folder / 'tables.md'}, {folder / 'sheet.png'}")


def _read(name: str) -> dict[str, Any]:
    path = layout.gan_score(name)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; run `dvc repro ablations/dvc.yaml`")
    score: dict[str, Any] = json.loads(path.read_text())
    return score


def _line(title: str, file: dict[str, Any], theirs: tuple[float, ...], published: bool) -> dict[str, str]:
    line = {"": title}
    for place, key in enumerate((*KEYS, *OURS)):
        name, decimals = IMAGE_SCORES[key]
        value = f"{file['scores'][key]:.{decimals}f}" if key in file["scores"] else "-"
        line[name] = f"{value} ({theirs[place]:.3f})" if published and key in KEYS else value
    return line


def _caption(params: Params, files: dict[str, dict[str, Any]]) -> str:
    first = files["full"]
    trained = [
        f"{name}: {gan.training.iterations:,} iterations of {gan.training.batch_size} pairs, learning rate "
        f"{gan.training.learning_rate}, lambda {gan.training.reconstruction_weight}, width {gan.width}."
        for name, gan in params.gan.items()
        if name in ("baseline", "full")
    ]
    parts = [
        f"Data set {params.dataset.name}, profile {params.profile}, seed {params.seed}, {first['device']},",
        f"{first['pairs']:,} test pairs. One seed. Variants are trained as full but for what they vary.",
        *trained,
        f"IS and FD by {first['definitions']['classifier']}, DS by {first['definitions']['detector']}, SSIM:",
        f"{first['definitions']['ssim']}. identity: as in data/report.",
    ]
    if params.dataset.name == "market1501":
        parts.append("In brackets: the journal paper's numbers (Inception's 2015 graph, SSD300).")
    notes = dict.fromkeys(note for file in files.values() for note in file["notes"])
    return " ".join([*parts, *notes])


def _draw(params: Params, names: list[str], path: Path) -> None:
    device = set_up(params.device, params.threads)
    shown = samples.read_parquet(layout.pairs("shown"))
    trained = {name: generators.load(layout.gan(name), device) for name in names}
    backgrounds = any(generator.background for generator in trained.values())
    people, pairs, _ = read_pairs("gallery", shown, params.image_size, backgrounds)
    people, pairs = people.to(device), pairs.to(device)
    pictures = {"source": people.images[pairs[:, 0]], "target": people.images[pairs[:, 1]]}
    batch = people.batch(pairs[:, 0], pairs[:, 1], with_target=False)
    for name, generator in trained.items():
        with torch.inference_mode():
            pictures[name] = to_uint8(generator.generate(batch))
    lines = [
        (name.rpartition("/")[2], list(images.permute(0, 2, 3, 1).cpu().numpy())) for name, images in pictures.items()
    ]
    sheet(lines, path, height=128, title="people who are not in the training set, by variant")
