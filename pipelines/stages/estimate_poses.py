"""Find the 18 joints of the training images, and of the gallery's people for testing generators."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import click
import pandas as pd
import torch

from augment.poses import INDEX, JOINTS, Pose, table
from augment.poses.estimators import ESTIMATORS
from augment.poses.estimators.truth import TRUTH, Truth
from augment.poses.skeleton import skeleton
from pipelines import layout
from pipelines.console import Say, stage
from pipelines.params import PoseParams
from reid.files import samples
from reid.files.images import Archive
from reid.pictures.sheets import sheet

NEAR = 0.05  # of the body's height: a joint is right (PCK) when it is as close as this to the true one


def run(pose: PoseParams, threads: int) -> None:
    """Write `data/poses/{poses.parquet,skeletons.png,accuracy.json}`; the last is empty where the truth is unknown."""
    with stage("estimate-poses", f"find 18 joints in each image with {pose.estimator}") as say:
        people = pd.concat([samples.read(layout.samples(split)) for split in layout.TRAINED_SPLITS])
        people = people[people["identity"] > samples.DISTRACTOR].reset_index(drop=True)
        options = getattr(pose, pose.estimator).model_dump()
        if pose.estimator == "blazepose":
            options["processes"] = threads
        found = ESTIMATORS[pose.estimator](**options).estimate(people)
        table.write(list(people["image"]), _sizes(people), found, layout.poses())
        _draw(people, found, pose.estimator)
        usable = found.has_torso().sum().item()
        say(f"{usable:,} of {len(people):,} images have both shoulders and hips, and are used")
        say(str(layout.POSES / "skeletons.png"))
        accuracy = {} if pose.estimator == "truth" else _accuracy(people, found, say)
        (layout.POSES / "accuracy.json").write_text(json.dumps(accuracy, indent=2) + "\n")


def _sizes(people: pd.DataFrame) -> list[tuple[int, int]]:
    with ExitStack() as stack:
        archives = {path: stack.enter_context(Archive(path)) for path in people["archive"].unique()}
        return [archives[path].size(image) for path, image in zip(people["archive"], people["image"], strict=True)]


def _accuracy(people: pd.DataFrame, found: Pose, say: Say) -> dict[str, Any]:
    """Errors against the joints delivered with the data, where it has some.

    Joints in the line of sight only; one that was not found is a miss of the PCK and has no error in pixels.
    """
    with Archive(people["archive"].iloc[0]) as archive:
        if TRUTH not in archive.names():
            return {}
    accuracy = compare(found, Truth(only_in_sight=True).estimate(people))
    click.echo("\n".join(f"    {joint:15} {share:.3f}" for joint, share in accuracy["pck_by_joint"].items()))
    say(
        f"against the true joints in sight: median error {accuracy['median_error_px']} px, "
        f"{100 * accuracy['pck']:.1f} % within {NEAR:g} of the nose-to-ankle height"
    )
    return accuracy


def compare(found: Pose, truth: Pose) -> dict[str, Any]:
    """Accuracy of poses (N, 18) against true ones: errors in pixels, and PCK, the share of joints found nearby."""
    error = (found.joints - truth.joints).norm(dim=-1)
    feet = truth.joints[:, [INDEX["right_ankle"], INDEX["left_ankle"]], 1].amax(1)
    height = feet - truth.joints[:, INDEX["nose"], 1]
    near = ((error <= NEAR * height[:, None]) & found.visible).float()
    errors = error[truth.visible & found.visible]
    return {
        "joints": int(truth.visible.sum()),
        "found": round(found.visible[truth.visible].float().mean().item(), 3),
        "median_error_px": round(errors.median().item(), 2),
        "mean_error_px": round(errors.mean().item(), 2),
        "near": NEAR,
        "pck": round(near[truth.visible].mean().item(), 3),
        "pck_by_joint": {
            name: round(near[truth.visible[:, joint], joint].mean().item(), 3) for joint, name in enumerate(JOINTS)
        },
    }


def _draw(people: pd.DataFrame, found: Pose, estimator: str) -> None:
    rows = torch.linspace(0, len(people) - 1, 24).long().tolist()
    pictures = []
    for row in rows:
        with Archive(people["archive"].iloc[row]) as archive:
            pictures.append(skeleton(archive.image(people["image"].iloc[row]), found[row]))
    lines = [("", pictures[start : start + 8]) for start in range(0, len(pictures), 8)]
    title = f"joints by {estimator}; orange: the person's right side, blue: the left"
    sheet(lines, layout.POSES / "skeletons.png", height=256, title=title)
