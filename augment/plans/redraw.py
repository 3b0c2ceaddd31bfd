"""The plan to redraw each image in the poses of alpha - 1 other images (Sec. 5.5 of the journal paper)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from augment.data.tuples import Tuples
from augment.plans import check_alpha
from reid.common.errors import InputError
from reid.files import samples
from reid.files.images import generated_name
from reid.randomness.seeds import seed_for


def redraw(
    table: pd.DataFrame,
    alpha: int,
    seed: int,
    origin: str,
    archive: str,
    *,
    usable_sources: NDArray[np.bool_],
    usable_targets: NDArray[np.bool_],
    sources: int = 1,
    bank: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Plan to redraw each usable training image in alpha - 1 poses.

    The target pose of each draw is that of a usable training image of anybody, or one of a bank, chosen by a random
    stream of (seed, image, draw). So the set for alpha = 2 is the first draw of the set for alpha = 10, and comparisons
    over alpha are paired.

    Args:
        table: sample table of the N real training images.
        alpha: from 2; 1 is no augmentation.
        seed: of the choice of poses and of further sources.
        origin: row of the results table, that is training set, that the images are for, e.g. `full-a2`.
        archive: zip that will hold the images.
        usable_sources: (N,) whether the method can work from an image.
        usable_targets: (N,) whether the method can draw a person in an image's pose.
        sources: M, the number of images of the person that each new image is made from, where there are so many.
        bank: names of a pose bank's poses, which are then the target poses (`augment.poses.bank`).

    Returns:
        sample table of the new images, with identity and camera of their source. From unusable images none is made.

    Raises:
        InputError: alpha is below 2, or no image is usable.

    Example:
        Person 7 in two poses; person 8's image cannot be a source, but gives a pose.

        >>> table = samples.real_table(["a.jpg", "b.jpg"], "real.zip", identities=[7, 8], cameras=[1, 2])
        >>> sources, targets = np.array([True, False]), np.array([False, True])
        >>> new = redraw(table, 3, 0, "full-a3", "new.zip", usable_sources=sources, usable_targets=targets)
        >>> new[["identity", "camera", "source", "pose_of", "draw"]].to_numpy().tolist()
        [[7, 1, 'a.jpg', 'b.jpg', 1], [7, 1, 'a.jpg', 'b.jpg', 2]]
    """
    check_alpha(alpha)
    redrawn = table[usable_sources].sort_values("image", ignore_index=True)
    poses = np.sort(table.loc[usable_targets, "image"].to_numpy(str) if bank is None else np.array(bank))
    if redrawn.empty or not len(poses):
        lacking = "source can be used" if redrawn.empty else "target pose can be used"
        raise InputError(
            f"no {lacking}: none of the {len(table)} training images shows the joints that the method needs; see "
            "data/poses/skeletons.png, and take another pose.estimator or method"
        )
    drawn = []
    for draw in range(1, alpha):
        streams = (np.random.default_rng(seed_for(seed, "pose", image, draw)) for image in redrawn["image"])
        pose_of = poses[[int(stream.integers(len(poses))) for stream in streams]]
        entries = redrawn.assign(
            image=[generated_name(image, draw) for image in redrawn["image"]],
            archive=archive,
            origin=origin,
            source=redrawn["image"],
            further_sources=further_sources(redrawn, redrawn["image"], pose_of, sources - 1, seed, f"draw {draw}"),
            pose_of=pose_of,
            draw=draw,
        )
        drawn.append(entries)
    return pd.concat(drawn, ignore_index=True)[list(samples.COLUMNS)]


def further_sources(
    table: pd.DataFrame, sources: pd.Series, targets: NDArray[np.str_], count: int, seed: int, name: str
) -> list[str]:
    """Further images of each source's person, in random order: those of the source's camera, then the others.

    A larger count only adds images to those of a smaller one, so that comparisons over the number of sources are
    paired.

    Args:
        table: sample table of the images that may be sources.
        sources: (P,) first sources.
        targets: (P,) images whose poses are the targets; a target is no source of its own image.
        count: of further sources, from 0; fewer where the person has no more images.
        seed: of the order.
        name: of the random stream, beside the source's name.

    Returns:
        (P,) names joined as in a sample table's column `further_sources`.

    Example:
        Of person 7 there are, beside the source, an image of another camera and one of the same.

        >>> images = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
        >>> table = samples.real_table(images, "real.zip", identities=[7, 7, 7, 8], cameras=[1, 2, 1, 1])
        >>> further_sources(table, pd.Series(["a.jpg"]), np.array(["d.jpg"]), 2, seed=0, name="draw 1")
        ['c.jpg|b.jpg']
    """
    if count == 0:
        return [""] * len(sources)
    known = table.set_index("image")
    of_person = {identity: own for identity, own in table.groupby("identity")}
    joined = []
    for source, target in zip(sources, targets, strict=True):
        own = of_person[known.loc[source, "identity"]]
        own = own[~own["image"].isin([source, target])].sort_values("image")
        order = np.random.default_rng(seed_for(seed, "sources", name, source)).permutation(len(own))
        other_camera = (own["camera"] != known.loc[source, "camera"]).to_numpy()[order]
        order = order[np.argsort(other_camera, kind="stable")]
        joined.append(samples.join_names(own["image"].iloc[order[:count]]))
    return joined


def tuples_of(
    entries: pd.DataFrame, target: str, images: pd.Series, sources: int, bank: Sequence[str] | None = None
) -> Tuples:
    """The tuples of P entries of a table, as indices of images in memory.

    Args:
        entries: columns source, further_sources, and the one named by `target`.
        target: name of the column with the image whose pose is the target.
        images: (N,) names of the images in memory.
        sources: M.
        bank: (P,) names of a pose bank's poses, where the targets are of these.
    """
    index = pd.Series(np.arange(len(images)), images)
    poses = index if bank is None else pd.Series(np.arange(len(bank)), list(bank))
    chosen, valid = np.zeros((len(entries), sources), np.int64), np.zeros((len(entries), sources), bool)
    for entry, (first, further) in enumerate(zip(entries["source"], entries["further_sources"], strict=True)):
        names = [first, *samples.split_names(further)][:sources]
        chosen[entry] = index[first]
        chosen[entry, : len(names)] = index.loc[names]
        valid[entry, : len(names)] = True
    targets = poses.loc[entries[target]].to_numpy(copy=True)
    return Tuples(torch.from_numpy(chosen), torch.from_numpy(valid), torch.from_numpy(targets))
