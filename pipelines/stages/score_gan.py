"""Score a generator on pairs of test images: the source redrawn in the target's pose, against the real target.

The real target images are scored alike, under the name `real`: what there is to be had.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from augment import methods
from augment.generation import generate_images
from augment.scores.classifiers import judge
from augment.scores.frechet import frechet_distance
from augment.scores.inception import SPLITS
from pipelines import layout
from pipelines.console import stage
from pipelines.params import ScoresParams
from pipelines.people import places, read_pairs, tuples_of_pairs, usable_pairs
from pipelines.runtime import describe, set_up
from pipelines.scoring import compare, find_scratch, inspect, load_networks, masks
from reid.common.saved import save_json
from reid.evaluation.features import extract, normalise
from reid.evaluation.identity import match
from reid.evaluation.search import nearest
from reid.files import samples
from reid.files.images import load
from reid.networks import storage
from reid.pictures import rank_lists
from reid.pictures.sheets import sheet

SHOWN = 14  # pairs on the sheet
LISTS, LISTED = 8, 12  # images whose rank lists are drawn, and how many each finds
BATCH = 16  # images whose features are extracted at a time; larger ones are slower on a CPU


def run(
    name: str,
    scores: ScoresParams,
    mirror: bool,
    pipeline_seed: int,
    seed: int,
    device_name: str,
    threads: int,
    size: tuple[int, int],
) -> None:
    """Write `data/gan_scores/NAME.json`, the scores, and two sheets.

    NAME.png shows what was scored, NAME-ranks.png whom the Re-ID network sees in some of it.

    Args:
        name: of a generator, or `real` for the real target images.
        scores: their section.
        mirror: whether the Re-ID network embeds each image together with its mirror image.
        pipeline_seed: of the choice of further sources, for methods that take several.
        seed: that of the Re-ID network which looks for the people.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.
        size: (H, W) of the images.

    Raises:
        InputError: the generator can draw none of the pairs.
    """
    device = set_up(device_name, threads)
    real, out = name == layout.REAL, layout.gan_score(name)
    with stage(f"score-gan {name}", f"at most {scores.pairs:,} test pairs on {describe(device, threads)}") as say:
        chosen = samples.read_parquet(layout.pairs("test")).head(scores.pairs)
        method = None if real else methods.load(layout.gan(name), device)
        people, table = read_pairs("gallery", chosen, size, method.needs if method else None)
        if method is None:
            pairs = places(chosen, table)
            images = people.images[pairs[:, 1]]
        else:
            kept = usable_pairs(method, chosen, people, table, name)
            pairs = places(kept, table)
            settings = {"size": size, "threads": threads, "pipeline_seed": pipeline_seed}
            scratch = find_scratch(f"score-{name}", name, method, chosen, table, settings, device, __name__)
            tuples = tuples_of_pairs(method, kept, people, table, pipeline_seed)
            images = generate_images(method, people.to(device), tuples, scratch)
        source, target = (people.images[rows] for rows in pairs.unbind(1))

        networks = load_networks(scores.classifier, scores.detector, device)
        mask = masks(people.poses[pairs[:, 1]], size)
        found, judged = inspect(images, mask, networks, device, name)
        found |= compare(images, target, mask, scores.ssim)
        if networks.classifier and judged:
            # Against the real targets; these themselves against the sources, other real images of the same people.
            other = judge(networks.classifier, (source if real else target).to(device), title="classify real images")
            found["fd"] = frechet_distance(judged.features, other.features)
        model = layout.reid(layout.REAL, scores.identity, seed)
        if (model / "network.pt").exists():
            found |= _identities(model, mirror, images, table, pairs, real, name, device)
        else:
            networks.notes.append(f"No identity: {model} holds no network; run train-reid, then score again")
            sheet([], layout.gan_ranks(name), title=networks.notes[-1])

        result = {
            "name": name,
            "device": describe(device, threads),
            "pairs": len(pairs),
            "pairs_left_out": len(chosen) - len(pairs),
            "definitions": {
                "ssim": scores.ssim,
                "classifier": scores.classifier,
                "splits": SPLITS,
                "detector": scores.detector,
                "identity": scores.identity,
            },
            "scores": {key: round(value, 4) for key, value in found.items()},
            "notes": networks.notes,
        }
        _draw(source, target, None if real else images, out.with_suffix(".png"), name)
        save_json(result, out, indent=1)
        if not real:
            scratch.remove()
        say(", ".join(f"{key} {round(value, 4)}" for key, value in found.items()))
        for note in networks.notes:
            say(note)
        say(str(out.with_suffix(".png")))


def _identities(
    model: Path,
    mirror: bool,
    images: Tensor,
    table: pd.DataFrame,
    pairs: Tensor,
    real: bool,
    name: str,
    device: torch.device,
) -> dict[str, float]:
    """Does a Re-ID network trained on real images find the person by these images? Draws a sheet of what it finds.

    Args:
        model: folder of the network.
        mirror: whether it embeds each image together with its mirror image.
        images: (P, 3, H, W) uint8.
        table: sample table of the pairs' people.
        pairs: (P, 2) rows of the table: source and target; an image does not find the two that it comes from.
        real: whether the images are the targets themselves, and have their cameras; others have their sources'.
        name: what the sheet is named after.
        device: that the network works on.

    Returns:
        identity_rank1 and identity_mAP, per cent, of the images whose person is in the rest of the gallery in another
        camera, and their number, identity_images; that alone where there are none.
    """
    network, config = storage.load(model, device)
    gallery = samples.read(layout.samples("gallery"))
    gallery = gallery[gallery["identity"] != samples.JUNK].reset_index(drop=True)
    known = load(gallery["archive"], gallery["image"], tuple(config["image_size"]))
    row_of = pd.Series(np.arange(len(gallery)), gallery["image"])
    shown = table.iloc[pairs[:, int(real)].numpy()]
    left_out = row_of.loc[table["image"]].to_numpy()[pairs.numpy()]
    query = normalise(extract(network, images.to(device), BATCH, "features of images", mirror))
    of_gallery = normalise(extract(network, known.to(device), BATCH, "features of the gallery", mirror))
    lists = []
    rows = np.unique(np.linspace(0, len(images) - 1, LISTS).astype(int))
    for row, near in zip(rows, nearest(query[rows], of_gallery, LISTED), strict=True):
        kinds = rank_lists.rank_list(shown.iloc[row], gallery, near).kinds
        kinds = ["junk" if place in left_out[row] else kind for place, kind in zip(near, kinds, strict=True)]
        pictures = known[near].permute(0, 2, 3, 1).numpy()
        lists.append((name, images[row].permute(1, 2, 0).numpy(), list(zip(pictures, kinds, strict=True))))
    rank_lists.draw(lists, layout.gan_ranks(name), generated=not real)

    matches = match(
        query,
        shown["identity"].to_numpy(),
        shown["camera"].to_numpy(),
        of_gallery,
        gallery["identity"].to_numpy(),
        gallery["camera"].to_numpy(),
        left_out=left_out,
    )
    there = matches.first_rank > 0
    if not there.any():
        return {"identity_images": 0}
    return {
        "identity_rank1": 100 * float((matches.first_rank[there] == 1).mean()),
        "identity_mAP": 100 * float(matches.average_precision[there].mean()),
        "identity_images": int(there.sum()),
    }


def _draw(source: Tensor, target: Tensor, generated: Tensor | None, path: Path, name: str) -> None:
    rows = np.unique(np.linspace(0, len(source) - 1, SHOWN).astype(int))
    shown = {"source": source, "target": target} | ({} if generated is None else {"generated": generated})
    lines = [(caption, list(images[rows].permute(0, 2, 3, 1).numpy())) for caption, images in shown.items()]
    sheet(lines, path, title=f"{name}: test people redrawn in another of their poses; the target is the real image")
