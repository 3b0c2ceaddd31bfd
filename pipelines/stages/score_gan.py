"""Score a generator on pairs of test images: the source redrawn in the target's pose, against the real target.

The real target images are scored in the same way, under the name `real`: the scores to compare a generator's with.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from augment import methods
from augment.data.tuples import Tuples
from augment.generation import generate_images
from augment.scores.classifiers import judge
from augment.scores.frechet import frechet_distance
from augment.scores.inception import SPLITS
from pipelines import layout
from pipelines.console import stage
from pipelines.params import ScoresParams
from pipelines.people import places, read_pairs, tuples_of_pairs, usable_pairs
from pipelines.runtime import Threads, describe, set_up
from pipelines.scoring import Networks, Searcher, compare, find_scratch, inspect, load_networks, masks
from reid.common import atomic
from reid.common.checkpoints import Scratch
from reid.common.digests import digest
from reid.common.saved import save_json
from reid.evaluation.features import extract, normalise
from reid.evaluation.identity import match
from reid.evaluation.search import nearest
from reid.files import samples
from reid.files.images import encode_png, load, to_uint8
from reid.networks import storage
from reid.pictures import rank_lists
from reid.pictures.sheets import sheet
from reid.randomness.seeds import seed_for

SHOWN = 14  # pairs on the sheet
GRID = 6  # people, and poses, of the grid
LISTS, LISTED = 8, 12  # images whose rank lists are drawn, and how many each finds
BATCH = 16  # images whose features are extracted at a time; larger ones are slower on a CPU


class Drawn(NamedTuple):
    """P pairs of test images, and images of the sources' people in the targets' poses."""

    name: str  # of the generator, or `real`: then the images are the targets themselves
    table: pd.DataFrame  # sample table of the pairs' people
    pairs: Tensor  # (P, 2) indices into the table: source and target
    made_from: Tensor  # (P, K) indices into the table: all that an image comes from, its sources and its target
    source: Tensor  # (P, 3, H, W) uint8, as the other two
    target: Tensor
    images: Tensor
    mask: Tensor  # (P, H, W), of the people in the targets

    @property
    def real(self) -> bool:
        """Whether the images are the targets themselves."""
        return self.name == layout.REAL


class Gallery(NamedTuple):
    """A gallery as a Re-ID network sees it."""

    table: pd.DataFrame  # sample table of G images, junk left out
    pictures: Tensor  # (G, 3, H, W) uint8
    of_pictures: NDArray[np.float32]  # (G, D) features
    features: Callable[[Tensor, str], NDArray[np.float32]]  # of further images, (P, 3, H, W) uint8; and a title


class Search(NamedTuple):
    """What it takes to search the gallery for the people in P images."""

    shown: pd.DataFrame  # sample table, P rows: the person of each image, and the camera that it stands for
    gallery: Gallery
    of_images: NDArray[np.float32]  # (P, D) features
    left_out: NDArray[np.int64]  # (P, K) indices of the gallery images that each image comes from


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


def real_images(chosen: pd.DataFrame, size: tuple[int, int]) -> Drawn:
    """The real targets of pairs, columns source and target, as what is to be scored."""
    people, table = read_pairs("gallery", chosen, size)
    pairs = places(chosen, table)
    source, target = (people.images[rows] for rows in pairs.unbind(1))
    return Drawn(layout.REAL, table, pairs, pairs, source, target, target, masks(people.poses[pairs[:, 1]], size))


def generated_images(
    name: str,
    chosen: pd.DataFrame,
    seed: int,
    device: torch.device,
    threads: Threads,
    size: tuple[int, int],
    sources: int | None = None,
) -> tuple[Drawn, Scratch]:
    """The images that a generator draws of pairs, of those that it can use.

    Args:
        name: of the generator.
        chosen: the pairs, columns source and target.
        seed: of the choice of further sources.
        device: to work on.
        threads: CPU threads.
        size: (H, W) of the images.
        sources: how many a generator from several is given, at most: the first of those that it takes; None: all. What
            an image is made from, `made_from`, counts them all, so that scores with fewer can be compared.

    Returns:
        the images, and the scratch folder that keeps them until the caller removes it.

    Raises:
        InputError: the generator can draw none of the pairs.
    """
    method = methods.load(layout.gan(name), device)
    people, table = read_pairs("gallery", chosen, size, method.needs)
    kept = usable_pairs(method, chosen, people, table, name)
    pairs = places(kept, table)
    settings = {"size": size, "threads": threads, "seed": seed, "sources": sources}
    work = f"score-{name}" if sources is None else f"score-{name}-{sources}-{seed}"
    scratch = find_scratch(work, name, method, chosen, table, settings, device, __name__)
    tuples = tuples_of_pairs(method, kept, people, table, seed)
    given = tuples if sources is None else tuples.first(sources)
    images = generate_images(method, people.to(device), given, scratch, seed=seed)
    source, target = (people.images[rows] for rows in pairs.unbind(1))
    made_from = torch.cat([tuples.sources, tuples.targets[:, None]], 1)
    mask = masks(people.poses[pairs[:, 1]], size)
    return Drawn(name, table, pairs, made_from, source, target, images, mask), scratch


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


def scores_of_images(drawn: Drawn, ssim: str, networks: Networks, device: torch.device) -> dict[str, float]:
    """The scores of `pipelines.scoring.inspect` and `compare`, and with a classifier the Frechet distance, fd.

    That is the distance to the real targets; theirs is that to the sources, other real images of the same people.
    """
    measured, judged = inspect(drawn.images, drawn.mask, networks, device, drawn.name)
    measured |= compare(drawn.images, drawn.target, drawn.mask, ssim)
    if networks.classifier and judged:
        reference = drawn.source if drawn.real else drawn.target
        other = judge(networks.classifier, reference.to(device), title="classify real images")
        measured["fd"] = frechet_distance(judged.features, other.features)
    return measured


def read_gallery(searcher: Searcher, device: torch.device) -> Gallery:
    """Load a Re-ID network onto a device, and extract its features of the gallery, junk left out."""
    network, config = storage.load(searcher.model, device)
    table = samples.read(layout.samples("gallery"))
    table = table[table["identity"] != samples.JUNK].reset_index(drop=True)
    pictures = load(table["archive"], table["image"], tuple(config["image_size"]))

    def features(images: Tensor, title: str) -> NDArray[np.float32]:
        return normalise(extract(network, images.to(device), BATCH, title, searcher.mirror))

    return Gallery(table, pictures, features(pictures, "features of the gallery"), features)


def search_gallery(gallery: Gallery, drawn: Drawn) -> Search:
    """Features of images, and what it takes to search a gallery for their people.

    Real images have their target's camera, generated ones their source's, whose pixels they take over. No image is to
    find the sources and the target that it comes from.
    """
    row_of = pd.Series(np.arange(len(gallery.table)), gallery.table["image"])
    return Search(
        shown=drawn.table.iloc[drawn.pairs[:, int(drawn.real)].numpy()],
        gallery=gallery,
        of_images=gallery.features(drawn.images, "features of images"),
        left_out=row_of.loc[drawn.table["image"]].to_numpy()[drawn.made_from.numpy()],
    )


def scores_of_identity(search: Search) -> dict[str, float]:
    """Does the Re-ID network find the person by the images?

    Returns:
        identity_rank1 and identity_mAP, per cent, of the images whose person is in the rest of the gallery in another
        camera, and their number, identity_images; that alone where there are none.
    """
    shown, gallery = search.shown, search.gallery.table
    matches = match(
        search.of_images,
        shown["identity"].to_numpy(),
        shown["camera"].to_numpy(),
        search.gallery.of_pictures,
        gallery["identity"].to_numpy(),
        gallery["camera"].to_numpy(),
        left_out=search.left_out,
    )
    there = matches.first_rank > 0
    if not there.any():
        return {"identity_images": 0}
    return {
        "identity_rank1": 100 * float((matches.first_rank[there] == 1).mean()),
        "identity_mAP": 100 * float(matches.average_precision[there].mean()),
        "identity_images": int(there.sum()),
    }


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


def pixels(images: Tensor) -> NDArray[np.uint8]:
    """Images (..., 3, H, W) as pictures (..., H, W, 3)."""
    return images.movedim(-3, -1).numpy()
