"""Find the 18 joints of the training images, and of the gallery's people for testing generators."""

from __future__ import annotations

import json
from contextlib import ExitStack

import click
import numpy as np
import pandas as pd
import torch

from augment.poses import INDEX, JOINTS, Pose, table
from augment.poses.estimators import ESTIMATORS
from augment.poses.estimators.truth import Truth
from augment.poses.skeleton import skeleton
from pipelines import layout
from pipelines.console import Say, stage
from pipelines.params import PoseParams
from reid import samples
from reid.images import Archive
from reid.sheets import sheet

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
        _draw(people, found)
        usable = found.has_torso().sum().item()
        say(f"{usable:,} of {len(people):,} images have both shoulders and hips, and are used")
        say(str(layout.POSES / "skeletons.png"))
        accuracy = {} if pose.estimator == "truth" else _accuracy(people, found, say)
        (layout.POSES / "accuracy.json").write_text(json.dumps(accuracy, indent=2) + "\n")


def _sizes(people: pd.DataFrame) -> list[tuple[int, int]]:
    with ExitStack() as stack:
        archives = {path: stack.enter_context(Archive(path)) for path in people["archive"].unique()}
        return [archives[path].size(image) for path, image in zip(people["archive"], people["image"], strict=True)]


def _accuracy(people: pd.DataFrame, found: Pose, say: Say) -> dict[str, object]:
    """Errors against the joints delivered with the data, where it has some: joints in the line of sight only."""
    with Archive(people["archive"].iloc[0]) as archive:
        if "joints.json" not in archive.names():
            return {}
    truth = Truth(only_in_sight=True).estimate(people)
    error = (found.joints - truth.joints).norm(dim=-1)
    feet = truth.joints[:, [INDEX["right_ankle"], INDEX["left_ankle"]], 1].amax(1)
    height = feet - truth.joints[:, INDEX["nose"], 1]
    near = error <= NEAR * height[:, None]
    seen = truth.visible
    by_joint = {name: round(near[seen[:, j], j].float().mean().item(), 3) for j, name in enumerate(JOINTS)}
    errors = error[seen].numpy()
    accuracy = {
        "images": len(people),
        "joints": int(seen.sum()),
        "median_error_px": round(float(np.median(errors)), 2),
        "mean_error_px": round(float(errors.mean()), 2),
        f"pck_{NEAR}": round(float(near[seen].float().mean()), 3),
        f"pck_{NEAR}_by_joint": by_joint,
    }
    click.echo("\n".join(f"    {joint:15} {share:.3f}" for joint, share in by_joint.items()))
    say(
        f"against the true joints in sight: median error {accuracy['median_error_px']} px, "
        f"{100 * float(near[seen].float().mean()):.1f} % within {NEAR:g} of the nose-to-ankle height"
    )
    return accuracy


def _draw(people: pd.DataFrame, found: Pose) -> None:
    rows = torch.linspace(0, len(people) - 1, 24).long().tolist()
    pictures = []
    for row in rows:
        with Archive(people["archive"].iloc[row]) as archive:
            pictures.append(skeleton(archive.image(people["image"].iloc[row]), found[row]))
    lines = [("", pictures[start : start + 8]) for start in range(0, len(pictures), 8)]
    title = "estimated joints; orange: the person's right side, blue: the left"
    sheet(lines, layout.POSES / "skeletons.png", height=256, title=title)
