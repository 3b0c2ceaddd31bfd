"""Random streams named by what they are for, so that no result depends on the order in which things happen."""

from __future__ import annotations

import hashlib


def seed_for(*parts: int | str) -> int:
    """A 63-bit seed from a name such as `seed_for(0, "pairs", 3)`: equal names give equal streams everywhere.

    Training derives the stream of iteration t from t, so a run that is killed and resumed draws the same numbers as
    one that is not, with no generator state to save.
    """
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
