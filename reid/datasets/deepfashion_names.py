"""DeepFashion's two names of an image: its published path, and the flat name in the released annotation files.

    img/WOMEN/Tees_Tanks/id_00003504/08_3_back.jpg     published
    fasionWOMENTeesTanksid0000350408_3back.jpg         flat (`fasion` is the released spelling)

Both say gender, category, item, colour, the number of the view and what it shows. The released code pairs images that
agree in all that stands before the underscore of the flat name: one item in one colour is taken for one person.
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
    """The parts of a DeepFashion image's name.

    Args:
        gender: MEN or WOMEN.
        category: without underscores, e.g. `TeesTanks`.
        item: eight digits.
        colour: two digits.
        number: of the view, one digit.
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
        """The person as the released pairs have it: gender, category, item and colour."""
        return f"fasion{self.gender}{self.category}id{self.item}{self.colour}"

    @property
    def article(self) -> str:
        """The piece of clothing in any colour: gender, category and item."""
        return f"{self.gender} {self.category} {self.item}"

    @property
    def flat(self) -> str:
        """The flat name in the released annotation files."""
        return f"{self.person}_{self.number}{self.view}.jpg"

    @property
    def published(self) -> str:
        """The path below `img/` in the published data set.

        A flat name has lost the category's underscores. They are put back before each capital that follows a small
        letter, which is where all of In-shop's categories have them.
        """
        category = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.category)
        return f"{self.gender}/{category}/id_{self.item}/{self.colour}_{self.number}_{self.view}.jpg"


def fashion_name(path: str) -> FashionName | None:
    """The parts of a published path or of a flat name, in any folder; None for any other name.

    Example:
        >>> name = fashion_name("img/WOMEN/Tees_Tanks/id_00003504/08_3_back.jpg")
        >>> name.flat, name.person
        ('fasionWOMENTeesTanksid0000350408_3back.jpg', 'fasionWOMENTeesTanksid0000350408')
    """
    match = PUBLISHED.fullmatch(path) or FLAT.fullmatch(path)
    if match is None:
        return None
    parts = match.groupdict()
    return FashionName(**{**parts, "category": parts["category"].replace("_", "")})


def annotated_name(path: str) -> str:
    """The name of an image in annotation files: the flat name of a DeepFashion image, the file name of any other.

    Example:
        >>> annotated_name("bounding_box_train/0002_c1s1_000451_03.jpg")
        '0002_c1s1_000451_03.jpg'
    """
    fashion = fashion_name(path)
    return PurePosixPath(path).name if fashion is None else fashion.flat
