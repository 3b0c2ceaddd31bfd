"""The papers' text and the code that made their tables differ: what `convention: released | paper` switches.

Everything else that differs is in docs/fidelity.md.
"""

from __future__ import annotations

from typing import Literal

Convention = Literal["released", "paper"]
