"""Score a generator from several sources with one of them, with two, and so on (Table 1 of the WACV 2020 paper)."""

from __future__ import annotations

import pandas as pd

from augment import methods
from pipelines import layout
from pipelines.console import stage
from pipelines.drawn import generated_images, scores_of_images
from pipelines.params import ScoresParams
from pipelines.report import figures
from pipelines.runtime import Threads, describe, set_up
from pipelines.scoring import Searcher, load_networks
from pipelines.searching import read_gallery, scores_of_identity, search_gallery
from reid.common import atomic
from reid.common.errors import InputError
from reid.files import samples

COUNTS = (1, 2, 3, 5, 7, 10)  # numbers of sources below that of the generator, beside that one; Table 1
SEEDS = 3  # choices of the further sources


def run(
    name: str,
    scores: ScoresParams,
    searcher: Searcher,
    seed: int,
    device_name: str,
    threads: Threads,
    size: tuple[int, int],
) -> None:
    """Write `data/gan_scores/NAME-sources.tsv`, a line for each number of sources and choice of them, and a figure.

    The sources are nested: those of a pair with fewer of them are the first of those with more. People with fewer
    images are drawn from what they have. In the search for the people none of all sources is in the gallery, whatever
    the number that was used. Scores whose weights are missing are no columns.

    Args:
        name: of a generator from several sources.
        scores: their section.
        searcher: the Re-ID network that looks for the people.
        seed: first seed of the choice of further sources; SEEDS seeds from it are used.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.
        size: (H, W) of the images.

    Raises:
        InputError: the generator draws from one source, or can draw none of the pairs.
    """
    device = set_up(device_name, threads)
    out = layout.gan_sources(name)
    with (
        stage(f"score-sources {name}", f"at most {scores.pairs:,} test pairs on {describe(device)}") as say,
        atomic.owning(out),
    ):
        most = methods.load(layout.gan(name), device).needs.sources
        if most == 1:
            raise InputError(f"{name} draws from one source: there are no numbers of sources to compare")
        chosen = samples.read_parquet(layout.pairs("test")).head(scores.pairs)
        networks = load_networks(scores.classifier, scores.detector, device)
        gallery = read_gallery(searcher, device) if (searcher.model / "network.pt").exists() else None
        if gallery is None:
            networks.notes.append(f"No identity: {searcher.model} holds no network; run train-reid, then score again")
        lines, scratches = [], []
        for count in [*(count for count in COUNTS if count < most), most]:
            for choice in range(seed, seed + (SEEDS if count > 1 else 1)):
                drawn, scratch = generated_images(name, chosen, choice, device, threads, size, count)
                scratches.append(scratch)
                measured = scores_of_images(drawn, scores.ssim, networks, device)
                if gallery is not None:
                    measured |= scores_of_identity(search_gallery(gallery, drawn))
                lines.append({"sources": count, "seed": choice, "pairs": len(drawn.pairs), **measured})
                say(f"{count} of {most} sources: " + ", ".join(f"{key} {value:.4g}" for key, value in measured.items()))
        results = pd.DataFrame(lines)
        out.unlink(missing_ok=True)  # until the figure is the new one
        figures.sources(results, name, f"{name}, {lines[0]['pairs']:,} pairs", out.with_suffix(".png"))
        samples.write_tsv(results, out, "%.5g")
        for scratch in scratches:
            scratch.remove()
        for note in dict.fromkeys(networks.notes):
            say(note)
        say(str(out))
