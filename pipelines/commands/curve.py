"""Score a generator as it was at each of its sheets: what the minutes of a training buy."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from augment.methods.storage import CONFIG
from pipelines import layout
from pipelines.console import stage
from pipelines.drawn import generated_images, scores_of_images
from pipelines.params import ScoresParams
from pipelines.report import figures
from pipelines.runtime import Threads, describe, set_up
from pipelines.scoring import Searcher, load_networks
from pipelines.searching import read_gallery, scores_of_identity, search_gallery
from reid.common.saved import load_json
from reid.files import samples


def run(
    names: list[str],
    out: Path,
    scores: ScoresParams,
    searcher: Searcher,
    seed: int,
    device_name: str,
    threads: Threads,
    size: tuple[int, int],
) -> None:
    """Write the table OUT.tsv and a figure of it, OUT.png.

    The table's columns are generator, iterations, minutes (of the training with its sheets and saved states), device,
    pairs, and the scores of `score-gan`.

    Args:
        names: of generators that were trained with `keep: true`.
        out: without a suffix.
        scores: their section.
        searcher: the Re-ID network that looks for the people.
        seed: of the choice of further sources, for methods that take several.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.
        size: (H, W) of the images.

    Raises:
        FileNotFoundError: a generator of a training was not kept, or there is no Re-ID network.
    """
    device = set_up(device_name, threads)
    kept, absent = dict[str, list[Path]](), []
    for name in names:
        kept[name], without = kept_of(name)
        if without:
            absent.append(f"{name}: no generators of {', '.join(without)} iterations, drawn before `keep` was set")
    if not (searcher.model / "network.pt").exists():
        raise FileNotFoundError(f"{searcher.model} holds no network: run `dvc repro score_gan_real`")
    count = sum(map(len, kept.values()))
    with stage("curve", f"{count} generators of {', '.join(names)}, on {describe(device)}") as say:
        chosen = samples.read_parquet(layout.pairs("test")).head(scores.pairs)
        networks = load_networks(scores.classifier, scores.detector, device)
        gallery = read_gallery(searcher, device)
        lines, scratches = [], []
        for name, folders in kept.items():
            for folder in folders:
                at = folder.relative_to(layout.GAN).as_posix()
                drawn, scratch = generated_images(at, chosen, seed, device, threads, size)
                measured = scores_of_images(drawn, scores.ssim, networks, device)
                measured |= scores_of_identity(search_gallery(gallery, drawn))
                so_far = load_json(folder / CONFIG, ("trainings",), "train again")["trainings"][-1]
                lines.append({"generator": name, **so_far, "pairs": len(drawn.pairs), **measured})
                scratches.append(scratch)
        table = pd.DataFrame(lines)
        numbers, picture = (out.with_name(out.name + suffix) for suffix in (".tsv", ".png"))
        samples.write_tsv(table, numbers, "%.5g")
        figures.curves(table, picture)
        for scratch in scratches:
            scratch.remove()
        for note in [*networks.notes, *absent]:
            say(note)
        say(f"{numbers}, {picture}")


def kept_of(name: str) -> tuple[list[Path], list[str]]:
    """Folders of a generator as it was at each of its sheets, in order; and the iterations of sheets without one."""
    sheets = sorted((layout.gan(name) / "samples").glob("*.png"), key=lambda sheet: int(sheet.stem))
    folders = [sheet.with_suffix("") for sheet in sheets]
    kept = [folder for folder in folders if (folder / CONFIG).exists()]
    if not kept:
        raise FileNotFoundError(
            f"{layout.gan(name) / 'samples'} holds no generators of any iterations: set `keep: true` in gan.{name} in "
            f"params.yaml and train it again, `python -m pipelines train-gan {name}`"
        )
    return kept, [folder.name for folder in folders if folder not in kept]
