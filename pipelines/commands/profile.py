"""Write params.yaml for another size of the run."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import click
from ruamel.yaml import YAML

from pipelines import params
from pipelines.params import PARAMS
from pipelines.profiles import compose
from reid.common import atomic
from reid.common.errors import InputError
from reid.files.lists import text as text_of


def run(names: Sequence[str], force: bool) -> None:
    """Write params.yaml as the profiles together define it: see `pipelines.profiles.compose`.

    Args:
        names: of profiles, or paths of files like them.
        force: overwrite edits of params.yaml that are kept nowhere else.

    Raises:
        InputError: there is no such profile; together they are no valid params.yaml; or `force` would be needed.
    """
    text = compose(names)
    params.check(YAML(typ="safe").load(text), f"profile {'+'.join(names)}")
    if PARAMS.exists() and not force:
        now = text_of(PARAMS.read_bytes(), str(PARAMS))
        if now != text and not _is_committed(PARAMS) and not _is_a_profile(now):
            raise InputError(
                f"{PARAMS} has edits that would be lost: it is neither as committed in git nor as profiles give it. "
                "Commit or copy it, or put the edits into a file of their own, which can be named after a profile "
                "(`python -m pipelines profile demo my.yaml`); --force overwrites it"
            )
    atomic.write(PARAMS, text)
    click.echo(f"{PARAMS}: profile {'+'.join(names)}")


def _is_committed(path: Path) -> bool:
    """Whether the file is committed in git as it is."""
    try:
        done = subprocess.run(
            ["git", "status", "--porcelain", "--ignored", "--", str(path)], capture_output=True, check=False
        )
    except FileNotFoundError:  # no git
        return False
    return done.returncode == 0 and not done.stdout


def _is_a_profile(text: str) -> bool:
    """Whether the text is what `compose` gives for the profiles that it names."""
    named = re.search(r"^profile:\s+(\S+)$", text, re.MULTILINE)
    try:
        return named is not None and compose(named[1].split("+")) == text
    except InputError:  # a profile is gone
        return False
