"""Random streams with names, so that no result depends on the order in which random numbers are drawn."""

from __future__ import annotations

import hashlib


def seed_for(*parts: int | str) -> int:
    """A seed in 0..2^63-1 for the random stream of this name; equal names give equal seeds on every machine.

    Training names the stream of iteration t by t. So a run that is killed and resumed draws the same numbers as one
    that is not, and there is no state of a random generator to save.

    Example:
        >>> seed_for(0, "pairs", 3), seed_for(0, "pairs", 4)
        (5803031138530034896, 4338958955178929984)
    """
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
