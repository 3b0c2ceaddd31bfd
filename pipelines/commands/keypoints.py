"""The joints of an exported set's people as COCO annotation files."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any, cast

import pandas as pd
import torch

from augment.poses import Pose, table
from augment.poses.coco import coco
from pipelines import layout
from pipelines.console import stage
from reid.common import atomic
from reid.common.errors import InputError
from reid.export import manifest
from reid.export.provenance import manifests
from reid.files.images import Archive
from reid.files.samples import REAL, is_of_bank
from reid.files.tables import parquet

ABOUT = ["identity", "camera", "origin"]  # columns of the manifest that annotations have too


def run(path: Path, out: Path) -> None:
    """Write `train.json` and `gallery.json`: of each image whose pose is known, where the joints are.

    A generated image has the pose that it was drawn in. Poses of queries, distractors and junk were never estimated,
    and rendered images, and people who do not exist in poses of noise, have none: these are left out, and counted.

    Args:
        path: an exported set, folder or zip, of this project's data.
        out: folder to write; must not exist, or be empty.

    Raises:
        FileNotFoundError: there are no poses; run `estimate-poses`.
        InputError: `out` exists, or the set has no manifest, or none of its images has a known pose.
    """
    with stage("keypoints", f"joints of {path} as COCO annotations: {out}") as say, Archive(path) as archive:
        atomic.refuse_existing(out)
        names = manifests(archive.names())
        if not names:
            raise InputError(
                f"{path} has no manifest, which says what each image shows: give a set that `export` wrote"
            )
        above = names[0].removesuffix(PurePosixPath(names[0]).name)
        entries = manifest.read(archive, names[0])
        posed = _pose_images(entries)
        real = (entries["split"] == "train") & (entries["origin"] == REAL)
        if posed[real].isna().any() or not posed.notna().any():
            raise InputError(
                f"{path}: expected the poses of its {int(real.sum()):,} real training images in {layout.poses()}, "
                f"which has those of {int(posed[real].notna().sum()):,}: export the set of this data again, or "
                f"{table.AGAIN}"
            )
        with atomic.replacing(out) as new:
            new.mkdir()
            for split in layout.TRAINED_SPLITS:
                own = entries[(entries["split"] == split) & posed.notna()]
                sizes = [archive.size(above + image) for image in own["image"]]
                people = coco(
                    list(own["image"]),
                    sizes,
                    _poses(posed[own.index], sizes),
                    cast("Any", own[ABOUT].to_dict("records")),
                )
                (new / f"{split}.json").write_text(json.dumps(people), encoding="utf-8")
                generated = int((own["origin"] != REAL).sum())
                left_out = int((entries["split"] == split).sum()) - len(own)
                say(f"{split}: {len(own):,} people, {generated:,} of them generated; {left_out:,} images left out")


def _pose_images(entries: pd.DataFrame) -> pd.Series[str]:
    """The name, in the table of poses, of the image whose pose each image has; null where none is known.

    Poses of a pose bank are not: an image of that name may be another one here.
    """
    known = parquet(layout.poses(), str(layout.poses()), table.AGAIN, table.COLUMNS)["image"]
    by_file = {PurePosixPath(name).parts[-2:]: name for name in known}  # folder of the split, and file
    shows = entries["pose_of"].where(entries["origin"] != REAL, entries["image"])
    shows = shows.mask(shows.map(is_of_bank))
    return shows.map(lambda image: by_file.get(PurePosixPath(image).parts[-2:]), na_action="ignore")


def _poses(images: pd.Series[str], sizes: list[tuple[int, int]]) -> Pose:
    """The poses (N, 18) of these images, each in pixels of an image of its size (H, W)."""
    joints, visible = torch.zeros(len(sizes), 18, 2), torch.zeros(len(sizes), 18, dtype=torch.bool)
    for size in dict.fromkeys(sizes):
        places = torch.tensor([place for place, own in enumerate(sizes) if own == size])
        pose = table.read(layout.poses(), list(images.iloc[places.numpy()]), size)
        joints[places], visible[places] = pose.joints, pose.visible
    return Pose(joints, visible)
