"""Check params.yaml, before DVC makes commands of its values."""

from __future__ import annotations

from pipelines import layout
from pipelines.console import stage
from pipelines.params import Params
from reid.common import atomic


def run(params: Params) -> None:
    """Write `data/checked.txt`, the same for all parameters that are valid, so that nothing else is out of date by it.

    Args:
        params: valid, or they could not have been read.
    """
    with stage("check-params", f"profile {params.profile}") as say:
        atomic.write(layout.CHECKED, "params.yaml is valid\n")
        say(str(layout.CHECKED))
