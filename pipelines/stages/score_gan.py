"""Score a generator on pairs of test images: the source redrawn in the target's pose, against the real target.

The real target images are scored in the same way, under the name `real`: the scores to compare a generator's with.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from augment import methods
from augment.data.tuples import Tuples
from augment.scores.inception import SPLITS
from pipelines import layout
from pipelines.console import stage
from pipelines.drawn import Drawn, generated_images, pixels, real_images, scores_of_images
from pipelines.params import ScoresParams
from pipelines.people import read_pairs, tuples_of_pairs
from pipelines.runtime import Threads, describe, set_up
from pipelines.scoring import Searcher, load_networks
from pipelines.searching import Search, read_gallery, scores_of_identity, search_gallery
from reid.common import atomic
from reid.common.digests import digest
from reid.common.saved import save_json
from reid.evaluation.search import nearest
from reid.files import samples
from reid.files.images import encode_png, to_uint8
from reid.pictures import rank_lists
from reid.pictures.sheets import sheet
from reid.randomness.seeds import seed_for

SHOWN = 14  # pairs on the sheet
GRID = 6  # people, and poses, of the grid
LISTS, LISTED = 8, 12  # images whose rank lists are drawn, and how many each finds


def run(
    name: str,
    scores: ScoresParams,
    searcher: Searcher,
    seed: int,
    device_name: str,
    threads: Threads,
    size: tuple[int, int],
) -> None:
    """Write `data/gan_scores/NAME.json`, the scores, and two sheets.

    NAME.png shows what was scored, NAME-ranks.png whom the Re-ID network sees in some of it. Of a generator
    NAME-grid.parquet has a few people, each in the poses of all of them.

    Args:
        name: of a generator, or `real` for the real target images.
        scores: their section.
        searcher: the Re-ID network that looks for the people.
        seed: of the choice of further sources, for methods that take several.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.
        size: (H, W) of the images.

    Raises:
        InputError: the generator can draw none of the pairs.
    """
    device = set_up(device_name, threads)
    out = layout.gan_score(name)
    with (
        stage(f"score-gan {name}", f"at most {scores.pairs:,} test pairs on {describe(device)}") as say,
        atomic.owning(out),
    ):
        # Measure.
        chosen = samples.read_parquet(layout.pairs("test")).head(scores.pairs)
        scratch = None
        if name == layout.REAL:
            drawn = real_images(chosen, size)
        else:
            drawn, scratch = generated_images(name, chosen, seed, device, threads, size)
        crossed = None if drawn.real else grid(drawn, seed, device, size)
        networks = load_networks(scores.classifier, scores.detector, device)
        measured = scores_of_images(drawn, scores.ssim, networks, device)
        search, notes = None, list(networks.notes)
        if (searcher.model / "network.pt").exists():
            search = search_gallery(read_gallery(searcher, device), drawn)
            measured |= scores_of_identity(search)
        else:
            notes.append(f"No identity: {searcher.model} holds no network; run train-reid, then score again")
        result = {
            "name": name,
            "weights_sha256": None if name == layout.REAL else digest(layout.gan(name) / methods.storage.WEIGHTS),
            "device": describe(device),
            "data": [path.as_posix() for path in samples.archives(drawn.table)],
            "pairs": len(drawn.pairs),
            "pairs_left_out": len(chosen) - len(drawn.pairs),
            "definitions": {
                "ssim": scores.ssim,
                "classifier": scores.classifier,
                "splits": SPLITS,
                "detector": scores.detector,
                "identity": scores.identity,
            },
            "scores": {key: round(value, 4) for key, value in measured.items()},
            "notes": notes,
        }

        # Draw and write; the JSON file comes last, so that it is there only if all is, and an old one goes first.
        out.unlink(missing_ok=True)
        if search is None:
            sheet([], layout.gan_ranks(name), title=notes[-1])
        else:
            draw_rank_lists(search, drawn, layout.gan_ranks(name))
        draw_pairs(drawn, out.with_suffix(".png"))
        if crossed is not None:
            samples.write_parquet(crossed, layout.gan_grid(name))
        save_json(result, out, indent=1)
        if scratch is not None:
            scratch.remove()
        say(", ".join(f"{key} {round(value, 4)}" for key, value in measured.items()))
        for note in notes:
            say(note)
        say(str(out.with_suffix(".png")))


def grid(drawn: Drawn, seed: int, device: torch.device, size: tuple[int, int]) -> pd.DataFrame:
    """The images that a generator draws of the first people of its pairs, each in the target poses of all of them.

    Args:
        drawn: of the generator: its pairs.
        seed: of the choice of further sources, and of a method's noise.
        device: to work on.
        size: (H, W) of the images.

    Returns:
        columns source, target (names of images) and image (PNG); a person's own target comes at the same place among
        the targets as the person among the sources.
    """
    method = methods.load(layout.gan(drawn.name), device)
    source, target = (drawn.table.iloc[rows.numpy()] for rows in drawn.pairs.unbind(1))
    first = ~source["identity"].duplicated().to_numpy()
    kept = pd.DataFrame({"source": source["image"].to_numpy()[first], "target": target["image"].to_numpy()[first]})
    kept = kept.head(GRID)
    people, table = read_pairs("gallery", kept, size, method.needs)
    own = tuples_of_pairs(method, kept, people, table, seed)
    rows, columns = torch.cartesian_prod(torch.arange(len(kept)), torch.arange(len(kept))).unbind(-1)
    crossed = Tuples(own.sources[rows], own.valid[rows], own.targets[columns])
    torch.manual_seed(seed_for(seed, "grid"))
    with torch.inference_mode():
        images = to_uint8(method.generate(people.to(device).batch(crossed, with_target=False))).cpu()
    return pd.DataFrame(
        {
            "source": kept["source"].to_numpy()[rows.numpy()],
            "target": kept["target"].to_numpy()[columns.numpy()],
            "image": [encode_png(picture) for picture in pixels(images)],
        }
    )


def draw_rank_lists(search: Search, drawn: Drawn, path: Path) -> None:
    """Draw what the Re-ID network finds by some of the images; those that an image comes from are marked as junk."""
    lists = []
    rows = spread(len(drawn.images), LISTS)
    for row, near in zip(rows, nearest(search.of_images[rows], search.gallery.of_pictures, LISTED), strict=True):
        kinds = rank_lists.rank_list(search.shown.iloc[row], search.gallery.table, near).kinds
        own = search.left_out[row]
        marks = ["junk" if place in own else kind for place, kind in zip(near, kinds, strict=True)]
        found = list(zip(pixels(search.gallery.pictures[near]), marks, strict=True))
        lists.append((drawn.name, pixels(drawn.images[row]), found))
    rank_lists.draw(lists, path, generated=not drawn.real)


def draw_pairs(drawn: Drawn, path: Path) -> None:
    """Draw some of the pairs, and what was generated of them."""
    shown = {"source": drawn.source, "target": drawn.target} | ({} if drawn.real else {"generated": drawn.images})
    rows = spread(len(drawn.pairs), SHOWN)
    lines = [(caption, list(pixels(images[rows]))) for caption, images in shown.items()]
    title = f"{drawn.name}: test people redrawn in another of their poses; the target is the real image"
    sheet(lines, path, title=title)


def spread(count: int, most: int) -> NDArray[np.int64]:
    """At most so many indices, spread evenly over `count`."""
    return np.unique(np.linspace(0, count - 1, most).astype(int))
