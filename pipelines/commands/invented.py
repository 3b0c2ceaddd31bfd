"""Is a person who does not exist one person, and nobody of the training set; and are made-up poses poses."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from augment import methods
from augment.methods.disentangled.method import Disentangled
from augment.poses import table as pose_table
from augment.scores.pose_likeness import likeness, limb_lengths
from pipelines import layout
from pipelines.console import stage
from pipelines.embedding import embedded
from pipelines.report import figures
from pipelines.runtime import Threads, describe, set_up
from pipelines.scoring import Searcher
from reid.common.errors import InputError
from reid.evaluation.judging import found_by_own, judge
from reid.files import samples
from reid.files.samples import write_tsv
from reid.networks import storage
from reid.randomness.seeds import seed_for

POSES = 2_000  # that are sampled


def run(
    name: str,
    generator: str,
    alpha: int,
    out: Path,
    searcher: Searcher,
    seed: int,
    device_name: str,
    threads: Threads,
    size: tuple[int, int],
) -> None:
    """Write OUT-people.tsv, OUT-poses.tsv (`augment.scores.pose_likeness`), and OUT.png with both distributions.

    The first has a line for the invented people and one for the real training people. Columns: people, images; found,
    per cent of the images whose nearest other image of their line shows the same person; chance, the same in a random
    order; nearest, the median distance to the nearest real image of another person; as_near, per cent of the images
    that have one at the distance that real images, in the median, have from the nearest other one of their person.

    Args:
        name: of the row of virtual people, whose training set exists.
        generator: that they were drawn with.
        alpha: size of the training set as a multiple of the real one.
        out: tables and figure to write, without suffix.
        searcher: the Re-ID network, trained on the real training images.
        seed: of the sampled poses.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.
        size: (H, W) of the images.

    Raises:
        FileNotFoundError: there is no such training set, or no such generator or network.
        InputError: the generator samples no poses.
    """
    device = set_up(device_name, threads)
    with stage("invented", f"{layout.row_name(name, alpha)}, on {describe(device)}") as say:
        method = methods.load(layout.gan(generator), device, size)
        if not isinstance(method, Disentangled) or method.untaught("pose"):
            raise InputError(f"{generator} samples no poses: choose a disentangled method that has learnt to")
        table = samples.read(layout.augmented(name, alpha) / "train.parquet")
        new, real = table[table["origin"] != samples.REAL], samples.read(layout.samples("train"))
        network, config = storage.load(searcher.model, device)
        embed = partial(embedded, network, size=tuple(config["image_size"]), mirror=searcher.mirror, device=device)
        of_new, of_real = embed(new, title="features of new images"), embed(real, title="features of real images")
        people_new, people_real = new["identity"].to_numpy(), real["identity"].to_numpy()
        nothing, itself = np.zeros((len(new), 0), np.int64), np.arange(len(real))[:, None]
        of_others = judge(of_real, people_real, of_real, people_real, left_out=itself)
        to_real = judge(of_new, people_new, of_real, people_real, left_out=nothing).nearest_other
        to_others, to_own = of_others.nearest_other, of_others.nearest_own
        near = float(np.nanmedian(to_own))
        lines = []
        for title, features, people, distances in (
            ("invented", of_new, people_new, to_real),
            ("real", of_real, people_real, to_others),
        ):
            found, chance = found_by_own(features, people)
            lines.append(
                {
                    "people": title,
                    "images": len(people),
                    "found": 100 * found,
                    "chance": 100 * chance,
                    "nearest": float(np.median(distances)),
                    "as_near": 100 * float((distances <= near).mean()),
                }
            )
            say(", ".join(f"{key} {value:.4g}" if key != "people" else title for key, value in lines[-1].items()))

        torch.manual_seed(seed_for(seed, "sampled poses"))
        with torch.no_grad():
            made = method.decode_anywhere(method.from_noise("pose", method.noise("pose", POSES, device))).to("cpu")
        known = pose_table.read(layout.poses(), list(real["image"]), size)
        known = known[method.usable_target(known)]
        poses = likeness(made, known, size, seed)
        differ = [poses[column][2:].median() for column in ("distance", "chance")]
        say(
            "median over limbs: sampled and real lengths differ by {:.2f} pixels, halves of real ones by {:.2f}".format(
                *differ
            )
        )
        paths = [out.with_name(f"{out.name}-{kind}.tsv") for kind in ("people", "poses")]
        write_tsv(pd.DataFrame(lines), paths[0], "%.4g")
        write_tsv(poses, paths[1], "%.4g")
        picture = out.with_name(out.name + ".png")
        of_whom = {"invented people": to_real, "other real people": to_others, "the same person": to_own}
        figures.invented(of_whom, {"sampled": limb_lengths(made), "real": limb_lengths(known)}, name, picture)
        say(f"{paths[0]}, {paths[1]}, {picture}")
