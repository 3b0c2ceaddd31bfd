"""Random draws of what people wear and carry.

Colours are linear RGB in [0, 1]. Lengths along a limb are counted in joints: 1 is the elbow or knee, 2 the wrist or
ankle.

Re-ID is hard because people dress alike. So most clothes are black, white, grey, navy or denim, and a share of them is
drawn from a shop with few products, so that different people wear the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from reid.randomness.seeds import seed_for

Colour = NDArray[np.floating]  # (3,)
Item = TypeVar("Item")

SHARED = 0.4  # share of tops and bottoms that come from the shop
SHOP_TOPS, SHOP_BOTTOMS = 26, 18

# sRGB colour: its share of the tops, and of the bottoms. Black, white, grey and navy make up more than half, as in
# real streets.
CLOTH = {
    (24, 24, 27): (0.15, 0.24),
    (232, 232, 230): (0.14, 0.04),
    (120, 122, 126): (0.09, 0.10),
    (62, 64, 68): (0.05, 0.10),
    (30, 38, 68): (0.09, 0.11),
    (178, 176, 172): (0.04, 0.03),
    (86, 110, 150): (0.07, 0.02),
    (150, 34, 38): (0.08, 0.02),
    (200, 190, 168): (0.05, 0.08),
    (104, 92, 70): (0.03, 0.11),
    (58, 84, 62): (0.04, 0.05),
    (206, 160, 168): (0.04, 0.01),
    (206, 176, 84): (0.04, 0.01),
    (128, 166, 190): (0.04, 0.02),
    (96, 62, 96): (0.03, 0.02),
    (88, 62, 48): (0.02, 0.04),
}
DENIM = {(38, 48, 76): 0.45, (66, 86, 122): 0.35, (118, 138, 164): 0.2}
SKIN = {
    0: [(150, 100, 75), (112, 74, 54), (84, 56, 43)],
    1: [(222, 184, 152), (206, 166, 134), (188, 146, 114)],
    2: [(224, 182, 155), (208, 162, 132), (190, 142, 112)],
}
HAIR = [(18, 16, 15), (34, 26, 22), (60, 42, 30), (95, 66, 40), (160, 124, 78), (128, 126, 124)]
HAIR_SHARE = {
    0: (0.80, 0.15, 0.02, 0, 0, 0.03),
    1: (0.78, 0.15, 0.04, 0.01, 0, 0.02),
    2: (0.3, 0.25, 0.2, 0.13, 0.08, 0.04),
}
SHOES = [(28, 28, 30), (228, 228, 228), (104, 74, 52), (90, 92, 98), (150, 44, 44), (52, 64, 100)]
SHOE_SHARE = (0.36, 0.30, 0.12, 0.12, 0.05, 0.05)
BAGS = [(24, 24, 27), (38, 46, 78), (96, 98, 102), (104, 82, 60), (120, 42, 44), (150, 70, 100)]
BAG_SHARE = (0.42, 0.18, 0.15, 0.12, 0.08, 0.05)


@dataclass(frozen=True)
class Top:
    """A garment of the upper body.

    Args:
        cut: t-shirt, shirt, jacket, hoodie or tank.
        colour: main colour.
        second: colour of the pattern, or of what an open jacket shows.
        pattern: plain, stripes, plaid, print, block or raglan.
        sleeve: length along the arm, 0 to 2.
        loose: 0 close-fitting to 1 wide.
        hem: metres below the hip joint.
        open: whether a jacket is worn open.
        scale: size of the pattern, about 1.
        print_at: where a print is: chest or back.
    """

    cut: str
    colour: Colour
    second: Colour
    pattern: str
    sleeve: float
    loose: float
    hem: float
    open: bool
    scale: float
    print_at: str


@dataclass(frozen=True)
class Bottom:
    """A garment of the lower body.

    Args:
        cut: trousers, jeans, shorts, leggings, skirt or dress; a dress covers the trunk as well.
        colour: main colour.
        length: along the leg, 0 to 2.
        loose: 0 close-fitting to 1 wide.
    """

    cut: str
    colour: Colour
    length: float
    loose: float


@dataclass(frozen=True)
class Outfit:
    """A person's looks apart from the shape of the body.

    Args:
        top: garment of the upper body.
        bottom: garment of the lower body.
        skin: colour.
        hair: colour.
        style: of the hair: bald, crop, short, bob, long, ponytail or bun.
        cap: its colour, or None.
        shoes: colour.
        sole: reflectance of the shoes' soles, in [0, 1].
        socks: colour, or None for bare ankles.
        bag: none, backpack, shoulder or hand.
        bag_colour: of the bag.
        side: the hand that carries: L or R.
        vehicle: whether the person has a bicycle in some pictures.
        vehicle_colour: of the bicycle.
        umbrella: its colour, or None.
        folds: offset into the noise that makes the folds of the clothes.
    """

    top: Top
    bottom: Bottom
    skin: Colour
    hair: Colour
    style: str
    cap: Colour | None
    shoes: Colour
    sole: float
    socks: Colour | None
    bag: str
    bag_colour: Colour
    side: str
    vehicle: bool
    vehicle_colour: Colour
    umbrella: Colour | None
    folds: float


def linear(red: float, green: float, blue: float) -> Colour:
    """SRGB in 0..255 to linear RGB in [0, 1], approximated by the exponent 2.2."""
    return (np.array([red, green, blue], np.float64) / 255) ** 2.2


def dyed(random: np.random.Generator, colour: tuple[int, int, int], spread: float = 0.2) -> Colour:
    """A random variation of an sRGB colour, as between products of the same colour; linear RGB."""
    shade = linear(*colour) * np.exp(random.normal(0, spread)) * np.exp(random.normal(0, spread / 4, 3))
    return np.clip(shade, 0.004, 0.9)


def _choice(random: np.random.Generator, shares: dict[Item, float]) -> Item:
    """One of the keys, with probabilities proportional to the values."""
    weights = np.array(list(shares.values()))
    return list(shares)[int(random.choice(len(shares), p=weights / weights.sum()))]


def _cloth(random: np.random.Generator, column: int) -> Colour:
    return dyed(random, _choice(random, {colour: shares[column] for colour, shares in CLOTH.items()}))


def draw_top(random: np.random.Generator, female: bool) -> Top:
    """A random top; short sleeves are frequent, as in summer."""
    cut = _choice(
        random, {"t-shirt": 0.58, "shirt": 0.16, "jacket": 0.12, "hoodie": 0.06, "tank": 0.08 if female else 0.02}
    )
    plain = {"plain": 0.85, "block": 0.15}
    varied = {"plain": 0.50, "print": 0.22, "stripes": 0.12, "plaid": 0.06, "block": 0.06, "raglan": 0.04}
    sleeve = {
        "t-shirt": (0.45, 0.85),
        "shirt": (0.6, 1.95),
        "jacket": (1.85, 1.97),
        "hoodie": (1.85, 1.97),
        "tank": (0.08, 0.08),
    }
    loose = {"t-shirt": (0.2, 1.0), "shirt": (0.2, 0.9), "jacket": (0.5, 1.1), "hoodie": (0.6, 1.1), "tank": (0.1, 0.3)}
    hem = (0.03, 0.15) if cut in ("jacket", "hoodie") else (0.0, 0.09)
    return Top(
        cut,
        _cloth(random, 0),
        _cloth(random, 0),
        _choice(random, plain if cut in ("jacket", "hoodie") else varied),
        random.uniform(*sleeve[cut]),
        random.uniform(*loose[cut]),
        random.uniform(*hem),
        cut == "jacket" and random.random() < 0.5,
        random.uniform(0.6, 1.5),
        "back" if random.random() < 0.2 else "chest",
    )


def draw_bottom(random: np.random.Generator, female: bool) -> Bottom:
    """Random trousers, shorts, leggings, skirt or dress."""
    cuts = {"jeans": 0.36, "trousers": 0.30, "shorts": 0.34}
    if female:
        cuts = {"jeans": 0.30, "trousers": 0.14, "shorts": 0.20, "leggings": 0.10, "skirt": 0.14, "dress": 0.12}
    cut = _choice(random, cuts)
    length = {"jeans": (1.86, 1.95), "trousers": (1.86, 1.95), "shorts": (0.45, 0.95), "leggings": (1.5, 1.9),
              "skirt": (0.55, 1.3), "dress": (0.55, 1.2)}  # fmt: skip
    loose = {"jeans": (0.05, 0.6), "trousers": (0.25, 0.9), "shorts": (0.6, 1.2), "leggings": (0.0, 0.0),
             "skirt": (0.0, 1.0), "dress": (0.0, 1.0)}  # fmt: skip
    colour = dyed(random, _choice(random, DENIM)) if cut == "jeans" else _cloth(random, 0 if cut == "dress" else 1)
    return Bottom(cut, colour, random.uniform(*length[cut]), random.uniform(*loose[cut]))


@dataclass(frozen=True)
class Shop:
    """Products that several people own, by sex: True is women's."""

    tops: dict[bool, list[Top]]
    bottoms: dict[bool, list[Bottom]]


def open_shop(seed: int) -> Shop:
    """The shop of a data set, drawn from its seed."""
    random = np.random.default_rng(seed_for(seed, "shop"))
    return Shop(
        {female: [draw_top(random, female) for _ in range(SHOP_TOPS)] for female in (False, True)},
        {female: [draw_bottom(random, female) for _ in range(SHOP_BOTTOMS)] for female in (False, True)},
    )


def draw_outfit(random: np.random.Generator, shop: Shop, female: bool, ancestry: int) -> Outfit:
    """A person's random clothes, hair and belongings."""
    top, bottom = draw_top(random, female), draw_bottom(random, female)
    if random.random() < SHARED:
        top = shop.tops[female][int(random.integers(SHOP_TOPS))]
    if random.random() < SHARED:
        bottom = shop.bottoms[female][int(random.integers(SHOP_BOTTOMS))]
    if bottom.cut == "dress":  # a dress is one garment: the top gets its colour
        top = replace(top, cut="t-shirt", colour=bottom.colour, hem=-0.02, loose=0.1, open=False)
    styles = {"crop": 0.22, "short": 0.70, "bald": 0.08}
    if female:
        styles = {"long": 0.34, "ponytail": 0.30, "bob": 0.20, "bun": 0.10, "short": 0.06}
    hair = HAIR[int(random.choice(len(HAIR), p=HAIR_SHARE[ancestry]))]
    skin = SKIN[ancestry][int(random.integers(3))]
    return Outfit(
        top=top,
        bottom=bottom,
        skin=dyed(random, skin, 0.08),
        hair=dyed(random, hair, 0.1),
        style=_choice(random, styles),
        cap=_cloth(random, 0) if random.random() < 0.08 else None,
        shoes=dyed(random, SHOES[int(random.choice(len(SHOES), p=SHOE_SHARE))]),
        sole=0.6 if random.random() < 0.4 else 0.05,
        socks=dyed(random, (225, 225, 225) if random.random() < 0.6 else (40, 40, 44))
        if random.random() < 0.5
        else None,
        bag=_choice(random, {"none": 0.46, "backpack": 0.28, "shoulder": 0.15, "hand": 0.11}),
        bag_colour=dyed(random, BAGS[int(random.choice(len(BAGS), p=BAG_SHARE))]),
        side="L" if random.random() < 0.5 else "R",
        vehicle=random.random() < 0.2,
        vehicle_colour=dyed(random, BAGS[int(random.integers(len(BAGS)))]),
        umbrella=_cloth(random, 0) if random.random() < (0.12 if female else 0.02) else None,
        folds=random.uniform(0, 100),
    )
