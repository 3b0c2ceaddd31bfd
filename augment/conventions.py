"""`convention`: whether to follow the released code, which made the papers' tables, or the papers' text.

`released` is the default. `gaussian` is the same with smooth heat maps, which the released code's formula means but the
code, which divides whole numbers, does not compute. docs/fidelity.md marks what `paper` changes, and lists the
differences that have no switch.
"""

from __future__ import annotations

from typing import Literal

Convention = Literal["released", "gaussian", "paper"]
ReleasedOrPaper = Literal["released", "paper"]  # of methods without heat maps
