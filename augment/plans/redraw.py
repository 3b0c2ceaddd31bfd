"""Each image redrawn in alpha - 1 poses of others (Sec. 5.5 of the journal paper), from one or more sources."""

from __future__ import annotations

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
) -> pd.DataFrame:
    """The plan to redraw each usable training image in alpha - 1 poses.

    The target pose of each draw is that of any usable training image, chosen by a stream of (seed, image, draw). So
    the set for alpha = 2 is the first draw of the set for alpha = 10, and comparisons over alpha are paired.

    Args:
        table: sample table of the N real training images.
        alpha: from 2; 1 is no augmentation.
        seed: of the choice of poses and of further sources.
        origin: name of the training set that the images are for.
        archive: zip that will hold the images.
        usable_sources: (N,) whether the method can work from an image.
        usable_targets: (N,) whether the method can draw a person in an image's pose.
        sources: M, how many images of the person each new image is made from, where there are so many.

    Returns:
        sample table of the new images: identity and camera of their source. Images that are not usable get no copies.

    Raises:
        InputError: alpha is below 2, or no image is usable.
    """
    check_alpha(alpha)
    redrawn = table[usable_sources].sort_values("image", ignore_index=True)
    poses = table.loc[usable_targets, "image"].sort_values().to_numpy()
    if redrawn.empty or not len(poses):
        raise InputError(f"none of the {len(table)} training images has a usable pose: see data/poses/skeletons.png")
    drawn = []
    for draw in range(1, alpha):
        streams = (np.random.default_rng(seed_for(seed, "pose", image, draw)) for image in redrawn["image"])
        pose_of = poses[[int(stream.integers(len(poses))) for stream in streams]]
        rows = redrawn.assign(
            image=[generated_name(image, draw) for image in redrawn["image"]],
            archive=archive,
            origin=origin,
            source=redrawn["image"],
            further_sources=further_sources(redrawn, redrawn["image"], pose_of, sources - 1, seed, f"draw {draw}"),
            pose_of=pose_of,
            draw=draw,
        )
        drawn.append(rows)
    return pd.concat(drawn, ignore_index=True)[list(samples.COLUMNS)]


def further_sources(
    table: pd.DataFrame, sources: pd.Series, targets: NDArray[np.str_], count: int, seed: int, name: str
) -> list[str]:
    """Further images of each source's person: of the same camera first, then of any, in random order.

    The first images for a larger count are those for a smaller one, so that comparisons over the number of sources are
    paired.

    Args:
        table: sample table of the images that may be sources.
        sources: (P,) first sources.
        targets: (P,) images whose poses are the targets; these are no sources.
        count: at most so many, from 0; fewer where there are no more.
        seed: of the order.
        name: of the stream, beside the source's name.

    Returns:
        (P,) names joined as in a sample table's column `further_sources`.
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


def tuples_of(rows: pd.DataFrame, target: str, images: pd.Series, sources: int) -> Tuples:
    """The tuples of P rows, by the places of images in memory.

    Args:
        rows: columns source, further_sources, and the target's.
        target: name of the column with the image whose pose is the target.
        images: (N,) names of the images in memory.
        sources: M.
    """
    place = pd.Series(np.arange(len(images)), images)
    chosen, valid = np.zeros((len(rows), sources), np.int64), np.zeros((len(rows), sources), bool)
    for entry, (first, further) in enumerate(zip(rows["source"], rows["further_sources"], strict=True)):
        names = [first, *samples.split_names(further)][:sources]
        chosen[entry] = place[first]
        chosen[entry, : len(names)] = place.loc[names]
        valid[entry, : len(names)] = True
    targets = place.loc[rows[target]].to_numpy(copy=True)
    return Tuples(torch.from_numpy(chosen), torch.from_numpy(valid), torch.from_numpy(targets))
