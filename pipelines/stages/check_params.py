"""Check params.yaml, before DVC makes commands of its values."""

from __future__ import annotations

from pipelines import layout
from pipelines.console import stage
from pipelines.params import PARAMS, Params, read
from reid.common import atomic
from reid.common.errors import InputError

# Keys of a section of `reid` that have defaults, but that stages of dvc.yaml name: DVC stops there without them.
NAMED_IN_DVC = ("options", "generated", "progressive")


def run(params: Params) -> None:
    """Write `data/checked.txt`, the same for all parameters that are valid, so that nothing else is out of date by it.

    Args:
        params: valid, or they could not have been read.

    Raises:
        InputError: a section of `reid` lacks a key that `dvc repro` would look for in vain, hours later perhaps.
    """
    with stage("check-params", f"profile {params.profile}") as say:
        given = read()["reid"]
        for name in params.networks:
            if missing := [key for key in NAMED_IN_DVC if key not in given[name]]:
                raise InputError(
                    f"{PARAMS}: DVC needs the keys {', '.join(missing)} in reid.{name}: write them with nothing behind "
                    "them for their defaults"
                )
        atomic.write(layout.CHECKED, "params.yaml is valid\n")
        say(str(layout.CHECKED))
