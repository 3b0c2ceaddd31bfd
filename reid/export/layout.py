"""Where an exported data set's files lie: names and folders that Re-ID libraries read unchanged (docs/reuse.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from reid.common.errors import InputError
from reid.datasets.folders import SPLITS
from reid.datasets.market1501 import DUKE, FOLDERS, MARKET

NAMINGS = {"market1501": MARKET, "dukemtmc-reid": DUKE}
# The last identity and the last camera that other libraries' classes of a naming allow: they assert it.
LIMITS = {"market1501": (1501, 6), "dukemtmc-reid": (9999, 8)}
# Below the folder that a library calls its root. torchreid and fast-reid read nested; TransReID and
# reid-strong-baseline flat.
ROOTS = {
    "market1501": {"nested": "market1501/Market-1501-v15.09.15", "flat": "market1501"},
    "dukemtmc-reid": {"nested": "dukemtmc-reid/DukeMTMC-reID", "flat": "DukeMTMC-reID"},
}
LAYOUTS = ("nested", "flat")
FOLDER_OF = dict(zip(SPLITS, FOLDERS, strict=True))
# torchreid, fast-reid, TransReID and reid-strong-baseline look for this in the whole path of an image, not in its name.
LABEL = re.compile(r"([-\d]+)_c(\d)")
# A generated image's name: its source's, `_gNN`, suffix.
GENERATED = re.compile(r"(?P<source>.+)_g\d+\.\w+")


def naming(images: Iterable[str]) -> str:
    """Whose names the images have, of NAMINGS.

    Raises:
        InputError: neither data set's; the message names the first image that is in the way.
    """
    names = [PurePosixPath(image).name for image in images]
    strangers = {name: [file for file in names if not pattern.fullmatch(file)] for name, pattern in NAMINGS.items()}
    for name, left in strangers.items():
        if not left:
            return name
    example = min(strangers.values(), key=len)[0]
    raise InputError(
        f"{example} is named neither as in Market-1501 (0002_c1s1_000451_03.jpg) nor as in DukeMTMC-reID "
        "(0005_c2_f0046985.jpg): no reader of these would find its identity and camera. MSMT17 has more cameras than "
        "one digit can say, DeepFashion has none: these are not exported"
    )


def trap(path: PurePosixPath) -> str | None:
    """What in a folder's path other libraries would take for identity and camera of every image in it, e.g. `2_c1`."""
    found = LABEL.search(path.as_posix())
    return found.group() if found else None
