"""The datasheet of an exported data set: its contents, how it was made, what it may be used for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePath, PurePosixPath
from typing import Any

import pandas as pd

from reid.datasets.folders import SPLITS
from reid.export.layout import FOLDER_OF, LIMITS
from reid.files.samples import DISTRACTOR, JUNK, REAL, is_of_bank

TEXT = """# {row}: an augmented person re-identification data set

The images of {sources}, untouched, and beside them {generated:,} generated training images, in `{root}`.
Files are named as in {naming}.

{counts}

Query and gallery are the original ones: nothing in them is generated.

## How it was made

{how}

| setting | value |
|:--|:--|
{settings}

`manifest.parquet`, and the same as `manifest.csv`, has a row for each image: split, identity, camera, origin
(`real` or `{row}`), source, the image whose pose was the target (pose_of), draw, the file's SHA-256, and of a
generated image the seed, the SHA-256 of the generator's weights, and the kind of process that made it (IPTC's
digital source type). The other forms (README.md, croissant.json, shards) say the same.

## What for, and what not

{uses}
{measuring}

{limitations}
- {biases}
{cautions}
## Licence

Generated images are made from original ones: they inherit the terms of {sources}, as the copies do. Read these
before you pass anything on. {people}
"""
USES = "To train person re-identification with more images of each person, and to study how much generated images help."
MEASURING = "Measure on the query and gallery images, which are the original ones."
LABELLED = "A generated image is labelled with the identity and the camera of its source."
NEW_PEOPLE = "Generated images show people who are not in the original set, under identities of their own."
LIMITATIONS = (
    "A reader must give a generated image and its source the same class. It is no evidence of how anybody looked or "
    "where anybody was.",
    "Images of one source, and in one pose, are not independent. For validation split by identity, or keep generated "
    "images (by the manifest, those whose origin is not `real`) out of it.",
    "A generator that was trained for a short time draws people poorly: look at the images before you use them.",
)
BIASES = "What the original set has too little of (people, places, views) the generated images lack too."
PEOPLE = "A set of images of real people stays one after augmentation."
NEWCOMERS = """The generated images are rendered, of people who are not in the original set, under identities of their
own."""
VIRTUAL = """The generated images show people who do not exist. A network that was trained on the training images made
each person's look of noise, and the background of each image; the poses are those of training images, or of noise too.
The identities are nobody's in the original set. No camera took them: they bear the numbers of the original cameras in
turn. Like the images that the network learnt from, they may resemble people who do exist."""
RENDERED = """The generated images are rendered: each shows the person of its source, in the same camera at another
moment, and is named like it with `_gNN_NNNNNN` before the suffix: the draw, and a number of its own."""
PASTED = """The generated images are pasted: each shows the real pixels of its source's person, cut out by the mask that
comes with rendered data, before the background of another training image, which is not recorded. It is named like its
source with `_gNN_NNNNNN` before the suffix: the draw, and a number of its own. Its camera is the source's, whichever
took the background."""
DRAWN = """The generated images were drawn by a network that was trained on the training images: each is its source
redrawn in the pose of {poses}, and is named like its source with `_gNN_NNNNNN` before the suffix: the
draw, and a number of its own. Training images in which no usable pose was found got none."""
BACKGROUNDS = """ The background is that of the image that the
pose is of, often of another camera, where the data set has backgrounds; the camera that it is labelled with is the
source's all the same."""
SELECTED = """

{draws} were drawn from each source for each one that is here, and the best kept by {by}. The
manifest has what judged each: identity_rank and margin of a network trained on the original training images, and
detection, a person detector's confidence."""


def datasheet(rows: pd.DataFrame, made: dict[str, Any], naming: str, root: str, sources: Sequence[str]) -> str:
    """The datasheet as Markdown.

    Args:
        rows: the manifest's entries.
        made: how the images were generated, as in `members.exported`.
        naming: a key of `layout.NAMINGS`.
        root: folder of the images, below that of the datasheet.
        sources: paths of the archives of the original images.
    """
    return TEXT.format(
        row=made["row"],
        sources=", ".join(PurePath(path).name for path in sources),
        generated=int((rows["origin"] != REAL).sum()),
        root=root,
        naming={"market1501": "Market-1501", "dukemtmc-reid": "DukeMTMC-reID"}[naming],
        counts=_counts(rows),
        uses=USES,
        measuring=MEASURING,
        limitations="\n".join(f"- {limitation}" for limitation in (labelled(rows), *LIMITATIONS)),
        biases=BIASES,
        people=PEOPLE,
        how=how(rows, made),
        settings="\n".join(f"| {key.replace('_', ' ')} | {_shown(value)} |" for key, value in made.items()),
        cautions="".join(_cautions(rows, naming)),
    )


def _counts(entries: pd.DataFrame) -> str:
    lines = ["| folder | images | real | generated | identities | cameras |", "|:--|--:|--:|--:|--:|--:|"]
    for split in SPLITS:
        table = entries[entries["split"] == split]
        real = int((table["origin"] == REAL).sum())
        people = table.loc[table["identity"] > DISTRACTOR, "identity"].nunique()
        counts = (len(table), real, len(table) - real, people, table["camera"].nunique())
        lines.append(f"| {FOLDER_OF[split]} | " + " | ".join(f"{count:,}" for count in counts) + " |")
    junk, distractors = ((entries["identity"] == kind).sum() for kind in (JUNK, DISTRACTOR))
    return "\n".join([*lines, "", f"The gallery has {junk:,} junk images (-1) and {distractors:,} distractors (0000)."])


def how(entries: pd.DataFrame, made: dict[str, Any]) -> str:
    """What the generated images are, and how they were chosen, from the manifest's entries and how they were made."""
    generated = entries[entries["origin"] != REAL]
    if generated.empty:
        return "No image was generated."
    rendered = generated["weights_sha256"].isna().all()
    if of_new_people(generated):
        return NEWCOMERS if rendered else VIRTUAL
    selected = SELECTED.format(**made["selection"]) if "selection" in made else ""
    banked = generated["pose_of"].map(is_of_bank).any()
    poses = "a pose bank, of images that are not here" if banked else "another training image"
    if rendered:
        return (PASTED if made.get("rendering") == "pasted" else RENDERED) + selected
    behind = BACKGROUNDS if made.get("generator", {}).get("options", {}).get("background") and not banked else ""
    return DRAWN.format(poses=poses) + behind + selected


def of_new_people(generated: pd.DataFrame) -> bool:
    """Whether generated images are of nobody in the original set, by their entries in the manifest."""
    return len(generated) > 0 and bool((generated["source"] == generated["image"]).all())


def labelled(entries: pd.DataFrame) -> str:
    """Whose identities the generated images have."""
    return NEW_PEOPLE if of_new_people(entries[entries["origin"] != REAL]) else LABELLED


def _cautions(entries: pd.DataFrame, naming: str) -> list[str]:
    """Markdown items on what the readers of other libraries skip or stop at in this set."""
    others = int((entries["image"].map(lambda image: PurePosixPath(image).suffix) != ".jpg").sum())
    identity, camera = LIMITS[naming]
    lines = []
    if others:
        lines.append(f"- {others:,} images do not end in `.jpg`: most libraries leave them out and do not say so.\n")
    if (entries["identity"] > identity).any() or (entries["camera"] > camera).any():
        lines.append(
            f"- There are identities above {identity} or cameras above {camera}: the classes of torchreid, fast-reid,\n"
            "  TransReID and reid-strong-baseline stop at these with an AssertionError. Read the manifest instead.\n"
        )
    return lines


def _shown(value: Any) -> str:
    return f"`{json.dumps(value)}`" if isinstance(value, dict | list) else str(value)
