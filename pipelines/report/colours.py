"""The colour of each training set and generator: one and the same in every figure, whatever else is in it."""

from __future__ import annotations

import colorsys
import hashlib
import re

from reid.files.samples import REAL

# Hue in 0..1, saturation and brightness of the names that profiles use; a name of a user's own has a hue made of it.
NAMED = {
    "baseline": (0.08, 0.90, 0.90),
    "full": (0.58, 0.85, 0.80),
    "multi_source": (0.85, 0.60, 0.80),
    "disentangled": (0.51, 0.90, 0.70),
    "pg2": (0.20, 0.85, 0.70),
    "vunet": (0.98, 0.55, 0.90),
    "guided": (0.76, 0.70, 0.60),
    "views": (0.33, 0.75, 0.62),
    "pasted": (0.74, 0.55, 0.75),
    "identities": (0.04, 0.60, 0.50),
    "full_best": (0.00, 0.75, 0.80),
    "virtual": (0.14, 0.90, 0.75),
    "alone": (0.46, 0.80, 0.55),
    "full_seen": (0.66, 0.60, 0.85),
    "dsc": (0.94, 0.80, 0.70),
    "percloss": (0.24, 0.80, 0.70),
}
OWN = (0.65, 0.70)  # saturation and brightness of other names


def colour(name: str) -> str:
    """The colour of a row of the results table, or of a generator or rendering, as `#rrggbb`.

    It is made of the name alone, so that it stays what it is when rows are added. Rows of one generator have one hue,
    and are the darker, the larger their alpha.

    Args:
        name: `real`, AUGMENTATION or AUGMENTATION-aALPHA.

    Example:
        >>> colour("real"), colour("full-a2") == colour("full"), colour("full-a4") == colour("full")
        ('#222222', True, False)
    """
    if name == REAL:
        return "#222222"
    row = re.fullmatch(r"(.+)-a(\d+)", name)
    augmentation, alpha = (row[1], int(row[2])) if row else (name, 2)
    hue, saturation, value = NAMED.get(augmentation, (_share(augmentation), *OWN))
    channels = colorsys.hsv_to_rgb(hue, saturation, value * (0.5 + 1 / max(alpha, 2)))
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in channels)


def _share(name: str) -> float:
    """A number in 0..1 made of a name."""
    return hashlib.sha256(name.encode()).digest()[0] / 256
