"""Are made-up poses poses: how their joints and limbs differ from those of real ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from augment.geometry.limbs import LIMBS
from augment.poses import Pose
from augment.poses.pose import JOINTS

INSIDE, KNOWN = "joints inside the image (%)", "known joints"


def limb_lengths(poses: Pose) -> dict[str, NDArray[np.float64]]:
    """Lengths in pixels of each limb in those of N poses that know both of its ends; limb -> (n,)."""
    lengths = {}
    for start, end in LIMBS:
        known = poses.visible[:, start] & poses.visible[:, end]
        own: Tensor = (poses.joints[:, start] - poses.joints[:, end]).norm(dim=-1)[known]
        lengths[f"{JOINTS[start]} to {JOINTS[end]}"] = own.double().cpu().numpy()
    return lengths


def inside(poses: Pose, size: tuple[int, int]) -> float:
    """The share in 0..1 of the known joints of N poses that lie inside an image of (H, W)."""
    x, y = poses.joints.unbind(-1)
    within = (x > -0.5) & (x < size[1] - 0.5) & (y > -0.5) & (y < size[0] - 0.5)
    return float(within[poses.visible].double().mean())


def likeness(made: Pose, real: Pose, size: tuple[int, int], seed: int = 0) -> pd.DataFrame:
    """Compare N made-up poses with M real ones.

    Returns:
        a line for the share of joints inside the image, one for the number of known joints, and one for the length of
        each limb in pixels that both know. Columns: measure, made and real (means), distance (the first Wasserstein
        distance of both distributions, in the measure's unit; NaN for the share), chance (the same distance of two
        random halves of the real poses: what equal distributions would give).

    Example:
        >>> pose = Pose(torch.rand(40, 18, 2) * 60, torch.ones(40, 18, dtype=torch.bool))
        >>> table = likeness(pose, pose, (64, 64)).set_index("measure")
        >>> table.loc["neck to nose", "distance"], table.loc["known joints", "real"], table.loc[INSIDE, "made"]
        (np.float64(0.0), np.float64(18.0), np.float64(100.0))
    """
    from scipy.stats import wasserstein_distance

    order = np.random.default_rng(seed).permutation(len(real))
    halves = [real[torch.from_numpy(half)] for half in np.array_split(order, 2)]

    def known(poses: Pose) -> NDArray[np.float64]:
        return poses.visible.sum(1).double().cpu().numpy()

    values = [{KNOWN: known(poses), **limb_lengths(poses)} for poses in (made, real, *halves)]
    nan = float("nan")
    lines = [(INSIDE, 100 * inside(made, size), 100 * inside(real, size), nan, nan)]
    for measure in values[0]:
        own, other, *parts = (value[measure] for value in values)
        if all(map(len, (own, other, *parts))):
            distance, chance = float(wasserstein_distance(own, other)), float(wasserstein_distance(*parts))
            lines.append((measure, float(own.mean()), float(other.mean()), distance, chance))
    return pd.DataFrame(lines, columns=["measure", "made", "real", "distance", "chance"])
