"""Score a disentangled generator's embeddings of people as Re-ID features (Table 2 of the CVPR 2018 paper)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from augment import methods
from augment.methods.disentangled.method import Disentangled
from augment.poses import Pose
from augment.poses import table as pose_table
from pipelines import layout
from pipelines.console import stage
from pipelines.embedding import BLOCK
from pipelines.params import PoseParams
from pipelines.runtime import Threads, bound_threads, processes, set_up
from pipelines.stages.estimate_poses import estimate, find_scratch
from pipelines.stages.evaluate import TestSet, rank, rounded
from reid.common import atomic
from reid.common.checkpoints import State
from reid.common.errors import InputError
from reid.common.progress import progress
from reid.distances import Euclidean
from reid.evaluation.features import normalise
from reid.files import samples
from reid.files.images import load, stored_sizes, to_float
from reid.randomness.seeds import seed_for

BATCH = 32
CHANCES = 10  # random rankings, for the scores of chance


def run(
    name: str, pose: PoseParams, pca: int, seed: int, device_name: str, threads: Threads, size: tuple[int, int]
) -> None:
    """Write `data/gan_scores/NAME-features.tsv`: Rank-1 and mAP of the foreground embeddings, and of chance.

    Columns: features (foreground; `foreground, PCA`: their first principal components in the training images; chance:
    the mean of random rankings), dimensions, rank1, mAP and mAP_step in per cent. Features have length 1, before the
    components and after them, and are compared by Euclidean distance. No label takes part but in the scores.

    The embeddings need poses; those of images that have none yet, queries and distractors, are estimated.

    Args:
        name: of a trained disentangled generator.
        pose: how poses are estimated.
        pca: components; fewer where there are fewer dimensions or training images.
        seed: of chance.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.
        size: (H, W) of the images.

    Raises:
        FileNotFoundError: the generator is not trained.
        InputError: its method has no such embeddings.
    """
    from sklearn.decomposition import PCA

    count, out = processes(threads), layout.gan_features(name)
    bound_threads(count)
    with stage(f"score-features {name}", "foregrounds as Re-ID features") as say, atomic.owning(out):
        tables = [samples.read(layout.samples(split)) for split in ("train", "query", "gallery")]
        estimator = "blazepose" if pose.estimator == "annotations" else pose.estimator
        scratch = find_scratch(f"features-{name}", pd.concat(tables), pose, estimator, __name__)
        poses = [_poses(table, pose, estimator, count, size, scratch.part(str(at))) for at, table in enumerate(tables)]
        device = set_up(device_name, threads)
        method = methods.load(layout.gan(name), device, size)
        if not isinstance(method, Disentangled):
            raise InputError(f"{name} has no embeddings of foregrounds: choose a disentangled method")
        features = [
            normalise(_foregrounds(method, table, own, device)) for table, own in zip(tables, poses, strict=True)
        ]
        _, query, gallery = tables
        components = PCA(min(pca, *features[0].shape), random_state=seed % 2**32).fit(features[0])
        reduced = [normalise(components.transform(part).astype(np.float32)) for part in features]
        lines = []
        for title, (_, of_query, of_gallery) in {"foreground": features, "foreground, PCA": reduced}.items():
            scores = rounded(rank(Euclidean(), TestSet(query, gallery, of_query, of_gallery)))
            lines.append({"features": title, "dimensions": of_query.shape[1]} | _shown(scores))
            say(", ".join(f"{key} {value}" for key, value in lines[-1].items()))
        lines.append({"features": "chance", "dimensions": 0} | _chance(query, gallery, seed))
        samples.write_tsv(pd.DataFrame(lines), out, "%.5g")
        scratch.remove()
        say(str(out))


def _poses(
    table: pd.DataFrame, pose: PoseParams, estimator: str, count: int, size: tuple[int, int], state: State
) -> Pose:
    """Poses (N, 18) of a sample table's people, in pixels of images of (H, W); those that are unknown are estimated.

    Published annotations have training and test people alone; those of other images are estimated by BlazePose.
    """
    path = layout.poses()
    known = table["image"].isin(samples.read_parquet(path)["image"]).to_numpy(copy=True)
    joints, visible = torch.zeros(len(table), 18, 2), torch.zeros(len(table), 18, dtype=torch.bool)
    found = []
    if known.any():
        found.append((known, pose_table.read(path, list(table["image"][known]), size)))
    if not known.all():
        others = table[~known].reset_index(drop=True)
        estimated = estimate(others, pose, estimator, count, state)
        found.append((~known, estimated.scaled(stored_sizes(others["archive"], others["image"]), size)))
    for which, part in found:
        joints[which], visible[which] = part.joints, part.visible
    return Pose(joints, visible)


def _foregrounds(method: Disentangled, table: pd.DataFrame, poses: Pose, device: torch.device) -> NDArray[np.float32]:
    """The foreground embeddings (N, 224) of the images of a sample table."""
    found = []
    for block in range(0, len(table), BLOCK):
        part = table[block : block + BLOCK]
        images = load(part["archive"], part["image"], method.size)
        for start in progress(range(0, len(images), BATCH), "foregrounds", "batch"):
            pixels, own = (
                to_float(images[start : start + BATCH].to(device)),
                poses[block + start : block + start + BATCH],
            )
            found.append(method.embeddings("foreground", pixels, own[: len(pixels)].to(device)).float().cpu().numpy())
    return np.concatenate(found)


def _chance(query: pd.DataFrame, gallery: pd.DataFrame, seed: int) -> dict[str, float]:
    """The scores of features that say nothing."""
    random = np.random.default_rng(seed_for(seed, "chance"))
    found = []
    for _ in range(CHANCES):
        features = (random.normal(size=(len(table), 64)).astype(np.float32) for table in (query, gallery))
        found.append(_shown(rounded(rank(Euclidean(), TestSet(query, gallery, *map(normalise, features))))))
    return {key: float(np.mean([scores[key] for scores in found])) for key in found[0]}


def _shown(scores: dict[str, float]) -> dict[str, float]:
    return {key: scores[key] for key in ("rank1", "mAP", "mAP_step")}
