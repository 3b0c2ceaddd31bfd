"""Generate several images for each that is wanted, and keep the best: what is best, networks judge.

The Re-ID network among them is that of the real training set, so that no test person has a say.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import torch

from augment.plans import check_alpha
from augment.plans.selection import best
from augment.scores.detectors import Detector, detection_scores
from pipelines import augmented, layout
from pipelines.console import stage
from pipelines.embedding import BLOCK, embedded
from pipelines.params import SelectionParams
from pipelines.runtime import Threads, describe, set_up
from pipelines.scoring import Searcher, load_detector
from pipelines.stages.augment import draw
from reid.common import atomic
from reid.common.digests import digest
from reid.common.errors import InputError
from reid.evaluation.judging import judge
from reid.files import samples
from reid.files.images import Archive, load, write_zip
from reid.networks import IDE, storage


def run(
    name: str,
    selection: SelectionParams,
    alpha: int,
    searcher: Searcher,
    detector: str,
    seed: int,
    device_name: str,
    threads: Threads,
    size: tuple[int, int],
) -> None:
    """Write `data/augmented/NAME-aALPHA/` as `augment` does, and `judged.parquet`.

    The latter has each image that was drawn: image, source, draw, identity_rank and margin (`reid.evaluation.judging`,
    among the real training images), detection (the detector's confidence that it shows a person) and kept.

    Args:
        name: of the row, a section of `selection`.
        selection: which generator, how many draws, and what decides.
        alpha: size of the training set as a multiple of the real one, from 2.
        searcher: the Re-ID network, trained on the real training images.
        detector: a key of `augment.scores.detectors.DETECTORS`.
        seed: of the choice of poses, and of further sources where the method takes several.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.
        size: (H, W) of the images.

    Raises:
        FileNotFoundError: the generator or the network is not trained.
        InputError: alpha is too small, no image has a usable pose, or the images are chosen by a detector whose weights
            are missing.
    """
    check_alpha(alpha)
    device = set_up(device_name, threads)
    row, folder = layout.row_name(name, alpha), layout.augmented(name, alpha)
    wanted, draws = alpha - 1, selection.draws * (alpha - 1)
    does = f"the {wanted} best by {selection.by} of {draws} generated for each training image, on {describe(device)}"
    with stage(f"augment {row}", does) as say, augmented.replacing(folder) as made:
        network, config = storage.load(searcher.model, device)
        found, notes = load_detector(detector, device)
        if found is None and selection.by == "detection":
            raise InputError(f"selection.{name}: by detection needs the detector of scores.detector. {notes[0]}")
        archive = made / "drawn.zip"
        drawn = draw(selection.generator, row, 1 + draws, archive, seed, device, threads, size)
        table = judged(drawn.new, drawn.real, network, tuple(config["image_size"]), searcher.mirror, found, device)
        kept = best(table, selection.by, wanted)
        samples.write_parquet(table.assign(kept=kept), made / layout.JUDGED)

        new = drawn.new[kept].reset_index(drop=True)
        with Archive(archive) as everything:
            write_zip(made / augmented.IMAGES, ((image, everything.read(image)) for image in new["image"]))
        atomic.remove(archive)
        judge = {"network": searcher.model.as_posix(), "network_sha256": digest(searcher.model / "network.pt")}
        judge["detector"] = detector
        provenance = drawn.provenance | {"alpha": alpha, "selection": selection.model_dump(), "judge": judge}
        augmented.write(drawn.real, new, made, folder, provenance, say)
        for column in ("identity_rank", "margin", "detection"):
            known = table[column].where(table[column] > 0) if column == "identity_rank" else table[column]
            say(f"mean {column} {known.mean():.2f}, of those kept {known[kept].mean():.2f}")
        for note in notes:
            say(note)
        say(f"{drawn.unusable:,} of {len(drawn.real):,} images have no usable pose and were not redrawn")
    drawn.scratch.remove()


def judged(
    new: pd.DataFrame,
    real: pd.DataFrame,
    network: IDE,
    size: tuple[int, int],
    mirror: bool,
    detector: Detector | None,
    device: torch.device,
) -> pd.DataFrame:
    """Columns image, source, draw, identity_rank, margin and detection of N new images.

    Args:
        new: sample table of the new images.
        real: sample table of the real training images that they were made from.
        network: Re-ID network on the device.
        size: (H, W) of the images that it was trained with.
        mirror: whether it embeds each image together with its mirror image.
        detector: of people; without one `detection` is NaN.
        device: to work on.
    """
    embed = partial(embedded, network, size=size, mirror=mirror, device=device)
    row_of = pd.Series(np.arange(len(real)), real["image"])
    made_from = [
        [name for name in (source, pose, *samples.split_names(further)) if name in row_of]  # not those of a pose bank
        for source, pose, further in zip(new["source"], new["pose_of"], new["further_sources"], strict=True)
    ]
    most = max(map(len, made_from))
    left_out = np.array([row_of.loc[names + names[:1] * (most - len(names))].to_numpy() for names in made_from])
    found = judge(
        embed(new, title="features of new images"),
        new["identity"].to_numpy(),
        embed(real, title="features of real images"),
        real["identity"].to_numpy(),
        left_out,
    )
    detection = np.full(len(new), np.nan)
    if detector is not None:
        for start in range(0, len(new), BLOCK):
            block = new[start : start + BLOCK]
            pixels = load(block["archive"], block["image"], size).permute(0, 2, 3, 1).numpy()
            detection[start : start + BLOCK] = detection_scores(detector, pixels, "detect people")
    columns = {"identity_rank": found.identity_rank, "margin": found.margin, "detection": detection}
    return new[["image", "source", "draw"]].assign(**columns)
