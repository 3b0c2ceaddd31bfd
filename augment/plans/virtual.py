"""The plan of people who do not exist: new identities, each in many images (Sec. 4.6 of the CVPR 2018 paper)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augment.plans import NEWCOMERS, check_alpha, check_newcomers
from reid.common.errors import InputError
from reid.files import samples
from reid.randomness.seeds import seed_for


def virtual(
    table: pd.DataFrame,
    alpha: int,
    seed: int,
    origin: str,
    archive: str,
    *,
    images: int,
    people: int | None = None,
    usable_targets: NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """Plan new people of `images` images each, in all alpha - 1 times as many images as there are real ones, at most.

    No camera has taken them. The images of a person bear the numbers of the real cameras in turn, since each stands
    before another background, and metrics are learnt from images of a person by two cameras.

    Args:
        table: sample table of the N real training images.
        alpha: from 2. The set for alpha = 2 is the first part of the set for alpha = 10.
        seed: of the choice of poses.
        origin: row of the results table, that is training set, that the images are for, e.g. `virtual-a2`.
        archive: zip that will hold the images.
        images: of each person; the last person of each draw has what is left.
        people: at most so many, the first ones; None: as many as alpha asks for.
        usable_targets: (N,) whether the method can draw a person in an image's pose, which is then the pose of some new
            image, `pose_of`; None where poses are made of noise too.

    Returns:
        sample table of the new images; each is its own source, and none has a real one.

    Raises:
        InputError: alpha is below 2, no pose is usable, or real people have such numbers.

    Example:
        >>> table = samples.real_table(["a.jpg", "b.jpg", "c.jpg"], "real.zip", identities=[7, 7, 8], cameras=[1, 2, 1])
        >>> new = virtual(table, 2, 0, "virtual-a2", "new.zip", images=2)
        >>> new["image"].iloc[0], new["identity"].tolist()
        ('bounding_box_train/100001_c1s1_000001_01.jpg', [100001, 100001, 100002])
    """
    check_alpha(alpha)
    check_newcomers(table)
    poses = None
    if usable_targets is not None:
        poses = table.loc[usable_targets, "image"].sort_values().to_numpy()
        if not len(poses):
            raise InputError(
                f"no target pose can be used: none of the {len(table)} training images shows the joints that the "
                "method needs; see data/poses/skeletons.png, and take another pose.estimator or poses of noise"
            )
    cameras = sorted(table["camera"].unique())
    entries = []
    for draw in range(1, alpha):
        for index in range(len(table)):
            person, view = NEWCOMERS * draw + 1 + index // images, index % images
            camera = int(cameras[view % len(cameras)])
            entries.append((f"bounding_box_train/{person}_c{camera}s1_{view + 1:06d}_01.jpg", person, camera, draw))
    new = pd.DataFrame(entries, columns=["image", "identity", "camera", "draw"])
    if people is not None:
        new = new[new["identity"].isin(new["identity"].unique()[:people])]
    if poses is not None:
        streams = (np.random.default_rng(seed_for(seed, "pose", image)) for image in new["image"])
        new["pose_of"] = poses[[int(stream.integers(len(poses))) for stream in streams]]
    else:
        new["pose_of"] = None
    new = new.assign(archive=archive, origin=origin, source=new["image"], further_sources="")
    return new[list(samples.COLUMNS)]
