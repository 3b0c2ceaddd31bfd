"""DeepFashion's two ways to name an image: the published path, and the flat name in the released annotation files.

    img/WOMEN/Tees_Tanks/id_00003504/08_3_back.jpg     published
    fasionWOMENTeesTanksid0000350408_3back.jpg         flat (`fasion` is the released spelling)

Both say gender, category, item, colour, and which view of how many. Released pairs are formed by what stands before the
underscore of the flat name: one item in one colour is one person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

PUBLISHED = re.compile(
    r"(?:.*/)?(?P<gender>MEN|WOMEN)/(?P<category>[A-Za-z_]+)/id_(?P<item>\d{8})/"
    r"(?P<colour>\d{2})_(?P<number>\d)_(?P<view>[a-z]+)\.jpg"
)
# Others spell it `fashion`, and keep the category's underscore.
FLAT = re.compile(
    r"(?:.*/)?fash?ion(?P<gender>MEN|WOMEN)(?P<category>[A-Za-z_]+)id(?P<item>\d{8})"
    r"(?P<colour>\d{2})_(?P<number>\d)(?P<view>[a-z]+)\.jpg"
)


@dataclass(frozen=True)
class FashionName:
    """What the name of a DeepFashion image says.

    Args:
        gender: MEN or WOMEN.
        category: without underscores, e.g. `TeesTanks`.
        item: eight digits.
        colour: two digits.
        number: one digit, of the view.
        view: e.g. `back`.
    """

    gender: str
    category: str
    item: str
    colour: str
    number: str
    view: str

    @property
    def person(self) -> str:
        """Who is shown, as released: gender, category, item and colour."""
        return f"fasion{self.gender}{self.category}id{self.item}{self.colour}"

    @property
    def article(self) -> str:
        """What is worn, whatever its colour: gender, category and item."""
        return f"{self.gender} {self.category} {self.item}"

    @property
    def flat(self) -> str:
        """The name in the released annotation files."""
        return f"{self.person}_{self.number}{self.view}.jpg"

    @property
    def published(self) -> str:
        """The path below `img/` in the published data set.

        A flat name has lost the category's underscores. They come back before each capital that follows a small
        letter, which is where all of In-shop's categories have them.
        """
        category = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.category)
        return f"{self.gender}/{category}/id_{self.item}/{self.colour}_{self.number}_{self.view}.jpg"


def fashion_name(path: str) -> FashionName | None:
    """What a published path or a flat name says, whatever the folder before it; None for any other name."""
    match = PUBLISHED.fullmatch(path) or FLAT.fullmatch(path)
    if match is None:
        return None
    said = match.groupdict()
    return FashionName(**{**said, "category": said["category"].replace("_", "")})


def annotated_name(path: str) -> str:
    """The name that annotation files know an image by: its file name, and the flat name for a DeepFashion image."""
    fashion = fashion_name(path)
    return PurePosixPath(path).name if fashion is None else fashion.flat
