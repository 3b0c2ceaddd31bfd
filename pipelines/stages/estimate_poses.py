"""Estimate the 18 joints of everybody in the training images, and in the gallery images that test generators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pandas as pd
import torch

from augment.poses import INDEX, JOINTS, Pose, table
from augment.poses.doubts import doubts
from augment.poses.estimators import ESTIMATORS
from augment.poses.estimators.truth import TRUTH, Truth
from augment.poses.skeleton import skeleton
from pipelines import layout, resume
from pipelines.console import Say, stage
from pipelines.params import PoseParams
from pipelines.runtime import Threads, bound_threads, processes
from reid.common import atomic
from reid.common.checkpoints import Scratch, State
from reid.common.saved import save_json
from reid.files import samples
from reid.files.images import Archive, stored_sizes
from reid.pictures.sheets import sheet

SHEET, ACCURACY = "skeletons.png", "accuracy.json"  # beside the table
NEAR = 0.05  # PCK's threshold: a joint is correct within this share of the nose-to-ankle height from the true one
PART = 4096  # images after which poses are saved
DRAWN, PER_LINE = 24, 8  # skeletons on the sheet


def run(pose: PoseParams, threads: Threads) -> None:
    """Write `data/poses/poses.parquet`, `skeletons.png` and `accuracy.json`.

    The last compares the poses with true joints where the data set has them, as rendered ones do; elsewhere it is {}.

    Args:
        pose: its section of params.yaml.
        threads: CPU threads; BlazePose works in as many processes of one thread each.
    """
    count = processes(threads)
    bound_threads(count)
    does, may_hold = f"estimate 18 joints in each image by {pose.estimator}", (layout.poses().name, SHEET, ACCURACY)
    with stage("estimate-poses", does) as say, atomic.replacing_folder(layout.POSES, may_hold) as folder:
        people = pd.concat([samples.read(layout.samples(split)) for split in layout.TRAINED_SPLITS])
        people = people[people["identity"] > samples.DISTRACTOR].reset_index(drop=True)
        scratch = find_scratch("poses", people, pose, pose.estimator, __name__)
        poses = estimate(people, pose, pose.estimator, count, scratch)
        sizes = stored_sizes(people["archive"], people["image"])
        for doubt in doubts(poses, sizes):
            say(f"warning: {doubt}")
        table.write(list(people["image"]), sizes, poses, folder / layout.poses().name)
        _draw(people, poses, pose.estimator, folder / SHEET)
        with_torso = poses.has_torso().sum().item()
        say(f"{with_torso:,} of {len(people):,} images show both shoulders and both hips; generators use these alone")
        say(str(layout.POSES / SHEET))
        accuracy = {} if pose.estimator == "truth" else _accuracy(people, poses, say)
        save_json(accuracy, folder / ACCURACY)
    scratch.remove()


def find_scratch(name: str, people: pd.DataFrame, pose: PoseParams, estimator: str, module: str) -> Scratch:
    """The scratch folder in which the poses of a sample table's images are kept while they are estimated."""
    settings = {"options": pose.options[estimator], "images": list(people["image"])}
    files = [Path(path) for path in pose.options[estimator].get("files", ())]
    inputs = [*samples.archives(people), *(path for path in files if path.exists())]
    return resume.scratch(name, settings, inputs, module, [ESTIMATORS[estimator]])


def estimate(people: pd.DataFrame, pose: PoseParams, estimator: str, count: int, state: State) -> Pose:
    """Poses (N, 18) of the images of a sample table, in their own pixels.

    Args:
        people: the sample table.
        pose: its section of params.yaml, with the options of all estimators.
        estimator: key of ESTIMATORS.
        count: processes that BlazePose works in. It has to come before torch's own threads are started.
        state: keeps the poses of each PART images, so that an interrupted run goes on behind them.
    """
    options = dict(pose.options[estimator])
    if estimator == "blazepose":
        options["processes"] = count
    method, found = ESTIMATORS[estimator](**options), []
    for start in range(0, len(people), PART):
        part = state.part(f"{start:08d}")
        if (kept := part.load()) is None:
            poses = method.estimate(people.iloc[start : start + PART].reset_index(drop=True))
            kept = {"joints": poses.joints, "visible": poses.visible}
            part.save(kept)
        found.append(kept)
    return Pose(*(torch.cat([kept[key] for kept in found]) for key in ("joints", "visible")))


def _accuracy(people: pd.DataFrame, poses: Pose, say: Say) -> dict[str, Any]:
    """`compare` with the true joints that are not occluded; {} where the data set has no true joints."""
    with Archive(people["archive"].iloc[0]) as archive:
        if TRUTH not in archive.names():
            return {}
    accuracy = compare(poses, Truth(only_in_sight=True).estimate(people))
    click.echo("\n".join(f"    {joint:15} {share:.3f}" for joint, share in accuracy["pck_by_joint"].items()))
    say(
        f"against the true joints that are not occluded: median error {accuracy['median_error_px']} px, "
        f"PCK {100 * accuracy['pck']:.1f} % at {NEAR:g} of the nose-to-ankle height"
    )
    return accuracy


def compare(poses: Pose, truth: Pose) -> dict[str, Any]:
    """Accuracy of estimated poses (N, 18): errors in pixels, and the percentage of correct keypoints (PCK) in 0..1.

    Joints that are not visible in `truth` do not count. One that the estimator missed is wrong in the PCK, and has no
    error in pixels.
    """
    error = (poses.joints - truth.joints).norm(dim=-1)
    feet = truth.joints[:, [INDEX["right_ankle"], INDEX["left_ankle"]], 1].amax(1)
    height = feet - truth.joints[:, INDEX["nose"], 1]
    correct = ((error <= NEAR * height[:, None]) & poses.visible).float()
    errors = error[truth.visible & poses.visible]
    return {
        "joints": int(truth.visible.sum()),
        "found": round(poses.visible[truth.visible].float().mean().item(), 3),
        "median_error_px": round(errors.median().item(), 2),
        "mean_error_px": round(errors.mean().item(), 2),
        "near": NEAR,
        "pck": round(correct[truth.visible].mean().item(), 3),
        "pck_by_joint": {
            name: round(correct[truth.visible[:, joint], joint].mean().item(), 3) for joint, name in enumerate(JOINTS)
        },
    }


def _draw(people: pd.DataFrame, poses: Pose, estimator: str, path: Path) -> None:
    """Draw the skeletons of some people, spread over the table."""
    pictures = []
    for index in torch.linspace(0, len(people) - 1, DRAWN).long().tolist():
        with Archive(people["archive"].iloc[index]) as archive:
            pictures.append(skeleton(archive.image(people["image"].iloc[index]), poses[index]))
    lines = [("", pictures[start : start + PER_LINE]) for start in range(0, len(pictures), PER_LINE)]
    title = f"joints by {estimator}; orange: the person's right side, blue: the left"
    sheet(lines, path, height=256, title=title)
