"""Which images of an augmented training set cost most: those without which its people would be told apart better."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines import layout
from pipelines.console import stage
from pipelines.embedding import embedded
from pipelines.runtime import Threads, describe, set_up
from pipelines.scoring import Searcher
from reid.common.errors import InputError
from reid.distances.euclidean import euclidean
from reid.evaluation.influence import costs
from reid.files import samples
from reid.files.images import Archive
from reid.files.samples import write_tsv
from reid.networks import storage
from reid.pictures.sheets import Picture, sheet

CELLS = 2_000_000  # of a matrix of queries and images that is worked on at a time
SHOWN = 14  # images on the sheet


class Found(NamedTuple):
    """Of the N new images of a training set."""

    cost: NDArray[np.float64]  # (N,) rise of the mean average precision when the image is left out, in -1..1
    to_others: NDArray[np.float64]  # (N,) the part of it in searches for other people, in whose way the image is
    taken_for: NDArray[np.int64]  # (N,) index of the real image of another person whose search it harms most, -1: none


def run(name: str, alpha: int, out: Path, searcher: Searcher, device_name: str, threads: Threads) -> None:
    """Write OUT.tsv, the cost of each new image (`find`) in points of mAP, and OUT.png, a sheet of the costliest.

    Args:
        name: of a generator, rendering or selection.
        alpha: size of the training set as a multiple of the real one.
        out: table and figure to write, without suffix.
        searcher: the Re-ID network, trained on the real training images.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.

    Raises:
        FileNotFoundError: there is no such training set, or the network is not trained.
        InputError: its new images are of other people than the real ones.
    """
    device = set_up(device_name, threads)
    row = layout.row_name(name, alpha)
    with stage("costs", f"{row}, on {describe(device)}") as say:
        table = samples.read(layout.augmented(name, alpha) / "train.parquet")
        is_new = (table["origin"] != samples.REAL).to_numpy()
        real, new = table[~is_new].reset_index(drop=True), table[is_new].reset_index(drop=True)
        if not new["identity"].isin(real["identity"]).all():
            raise InputError(f"{row} adds people who are not in the real training set: choose a row of the same people")
        network, config = storage.load(searcher.model, device)

        def features(part: pd.DataFrame, title: str) -> NDArray[np.float32]:
            return embedded(network, part, tuple(config["image_size"]), searcher.mirror, device, title)

        of_real, of_new = features(real, "features of real images"), features(new, "features of new images")
        found = find(real, new, of_real, of_new)
        points, to_others = 100 * found.cost, 100 * found.to_others
        taken_for = [real["image"][index] if index >= 0 else "" for index in found.taken_for]
        written = new[["image", "source", "pose_of", "identity"]].assign(
            cost=points, cost_to_others=to_others, taken_for=taken_for
        )
        written = written.sort_values("cost", ascending=False, kind="stable")
        numbers, picture = (out.with_name(out.name + suffix) for suffix in (".tsv", ".png"))
        write_tsv(written, numbers, "%.4g")
        draw(written[written["cost"] > 0][:SHOWN], table, picture, row)
        costly = np.sort(points[points > 0])[::-1]
        say(f"{len(costly):,} of {len(new):,} new images cost, {(points < 0).sum():,} help")
        if len(costly):
            most = costly[: -(-len(new) // 20)]
            share = most.sum() / costly.sum()
            say(f"the dearest twentieth costs {most.mean():.2g} points of mAP an image, {share:.0%} of all costs")
        say(f"{numbers}, {picture}")


def find(real: pd.DataFrame, new: pd.DataFrame, of_real: NDArray[np.float32], of_new: NDArray[np.float32]) -> Found:
    """What each new image costs when every real image is searched for among all images (AP by the step rule).

    Not ranked are the searched image, all images of its person in its camera (a new one's is its source's), and new
    images that were made from it. An image costs its own person where it is found late, and others where it is found
    before them.

    Args:
        real: sample table of R real images.
        new: sample table of N new images, of the same people.
        of_real: (R, D) features of length 1.
        of_new: (N, D) likewise.
    """
    features = np.concatenate([of_real, of_new])
    identities, cameras = (np.concatenate([real[key], new[key]]) for key in ("identity", "camera"))
    row_of = pd.Series(np.arange(len(real)), real["image"])
    made_from = [row_of.reindex(new[key]).to_numpy() for key in ("source", "pose_of")]
    further = [row_of.reindex(samples.split_names(names)).to_numpy() for names in new["further_sources"]]
    total, to_others, worst = np.zeros((3, len(new)))
    taken_for, block = np.full(len(new), -1), max(1, CELLS // len(features))
    for start in range(0, len(real), block):
        which = np.arange(start, min(start + block, len(real)))
        own = identities[which, None] == identities
        ignored = which[:, None] == np.arange(len(features))
        ignored |= own & (cameras[which, None] == cameras)
        for origin in made_from:
            ignored[:, len(real) :] |= which[:, None] == origin
        for column, names in enumerate(further, len(real)):
            ignored[:, column] |= np.isin(which, names)
        found = costs(euclidean(of_real[which], features), own, ignored)[:, len(real) :]
        others = np.where(own[:, len(real) :], 0.0, found)
        total, to_others = total + found.sum(0), to_others + others.sum(0)
        highest = others.argmax(0)
        value = others[highest, np.arange(len(new))]
        taken_for = np.where(value > worst, which[highest], taken_for)
        worst = np.maximum(worst, value)
    return Found(total / len(real), to_others / len(real), taken_for)


def draw(costly: pd.DataFrame, table: pd.DataFrame, path: Path, row: str) -> None:
    """Draw images below those that they were made from, and above the other people whose search they harm most.

    Those that harm nobody else's have grey there.

    Args:
        costly: columns image, source, pose_of, cost and taken_for.
        table: sample table of all images.
        path: of the PNG.
        row: name of the training set.
    """
    archive_of = table.set_index("image")["archive"]

    def picture(image: str) -> Picture:
        if not image:
            return np.full((128, 64, 3), 127, np.uint8)
        with Archive(archive_of[image]) as archive:
            return archive.image(image)

    columns = [("source", "source"), ("pose", "pose_of"), ("new image", "image"), ("taken for", "taken_for")]
    lines = [
        (caption, [picture(image) for image in costly[column]])
        for caption, column in columns
        if costly[column].isin(["", *archive_of.index]).all()
    ]
    sheet(lines, path, height=128, title=f"{row}: the images that cost most, the dearest first")
