"""Names and folders of an exported data set, as other Re-ID libraries read them unchanged (docs/reuse.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from reid.common.errors import InputError
from reid.datasets.folders import SPLITS
from reid.datasets.market1501 import FOLDERS

# File names that other libraries find identity and camera in; the readers of this project take more.
NAMINGS = {
    "market1501": re.compile(
        r"(?P<identity>-1|\d{4,})_c(?P<camera>\d)s\d_\d{6}_\d{2}(_g\d+(_\d+)?)?(\.jpg)?\.(jpg|png)"
    ),
    "dukemtmc-reid": re.compile(r"(?P<identity>\d{4})_c(?P<camera>\d)_f\d+(_g\d+(_\d+)?)?\.(jpg|png)"),
}
# The highest identity and camera that other libraries' data set classes allow for a naming; they assert it.
LIMITS = {"market1501": (1501, 6), "dukemtmc-reid": (9999, 8)}
# Folders below the one that a library calls its root. torchreid and fast-reid read the nested layout, TransReID and
# reid-strong-baseline the flat one.
ROOTS = {
    "market1501": {"nested": "market1501/Market-1501-v15.09.15", "flat": "market1501"},
    "dukemtmc-reid": {"nested": "dukemtmc-reid/DukeMTMC-reID", "flat": "DukeMTMC-reID"},
}
LAYOUTS = ("nested", "flat")
FOLDER_OF = dict(zip(SPLITS, FOLDERS, strict=True))
# torchreid, fast-reid, TransReID and reid-strong-baseline look for this in the whole path of an image, not in its name.
LABEL = re.compile(r"([-\d]+)_c(\d)")
# A generated image's name: its source's, `_gNN` with the draw, its number in the set (`numbered`; sets of earlier
# versions have none), suffix.
GENERATED = re.compile(r"(?P<source>.+)_g\d+(_\d+)?\.\w+")


def naming(images: Iterable[str]) -> str:
    """The naming, a key of NAMINGS, that all images follow.

    Raises:
        InputError: they follow none; the message names the first image that does not.

    Example:
        >>> naming(["bounding_box_train/0002_c1s1_000451_03.jpg", "bounding_box_train/0002_c1s1_000451_03_g01.jpg"])
        'market1501'
    """
    names = [PurePosixPath(image).name for image in images]
    others = {name: [file for file in names if not pattern.fullmatch(file)] for name, pattern in NAMINGS.items()}
    for name, not_following in others.items():
        if not not_following:
            return name
    example = min(others.values(), key=len)[0]
    raise InputError(
        f"{example} is named neither as in Market-1501 (0002_c1s1_000451_03.jpg) nor as in DukeMTMC-reID "
        "(0005_c2_f0046985.jpg): other libraries would not find its identity and camera. Other data sets, such as "
        "MSMT17 (more cameras than one digit can say) and DeepFashion (no cameras), are not exported"
    )


def numbered(name: str, number: int) -> str:
    """The name in an exported set of a generated image: `_g` and the draw, then a number that no other image has.

    Readers that find identity and camera at the start see no difference. Datumaro takes what follows the number of the
    box for the whole name: of several images that all end in `_g01` it would keep one.

    Example:
        >>> numbered("0002_c1s1_000451_03_g01.jpg", 17)
        '0002_c1s1_000451_03_g01_000017.jpg'
    """
    path = PurePosixPath(name)
    return f"{path.stem}_{number:06d}{path.suffix}"


def trap(path: PurePosixPath) -> str | None:
    """The part of a folder's path that other libraries would take for identity and camera of every image below it.

    Example:
        >>> trap(PurePosixPath("/data/exp2_c1/market1501"))
        '2_c1'
    """
    match = LABEL.search(path.as_posix())
    return match.group() if match else None
