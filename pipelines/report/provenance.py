"""When, of which commit, and in what time a report was made: what is known, and nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Collection
from datetime import UTC, datetime

from pipelines import layout
from pipelines.console import DURATIONS, took
from pipelines.params import Params

REPORT = "report"  # whose duration is that of the report before


def facts(params: Params, rows: list[str]) -> dict[str, str]:
    """Name of a fact -> the fact; without git no commit, and without a log no durations."""
    known = {
        "Made": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "Commit": commit(),
        "Durations (after an interruption, of the rest)": durations(params, rows),
    }
    return {name: fact for name, fact in known.items() if fact}


def commit() -> str:
    """The first digits of the commit of this folder, and whether files differ from it; empty outside git."""

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    digits = git("rev-parse", "--short=10", "HEAD")
    if not digits or not git("ls-files", "dvc.yaml"):  # of a folder that this one lies in
        return ""
    changes = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!dvc.lock")  # DVC has just written it
    return digits + (", with changes" if changes else "")


def durations(params: Params, rows: list[str]) -> str:
    """How long the stages of this run took when DVC ran them last in this folder, summed up by command."""
    if not DURATIONS.exists():
        return ""
    names = {layout.REAL, *rows, *params.trained}
    for row in rows:
        names |= {layout.reid(row, network, seed).name for network in params.networks for seed in params.seeds}
    return summed(DURATIONS.read_text(encoding="utf-8"), names)


def summed(log: str, names: Collection[str]) -> str:
    r"""The durations in a log, by command, of stages that work on one of the names or on nothing that has a name.

    Example:
        >>> summed("pair\t2\ntrain-gan full\t60\ntrain-gan full\t90\ntrain-gan baseline\t40\n", {"full", "baseline"})
        'pair 2 s, train-gan (2) 2 min 10 s'
    """
    lines = (line.rpartition("\t") for line in log.splitlines())  # a later line replaces an earlier one
    last = {stage: seconds for stage, _, seconds in lines if seconds.isdecimal()}
    by_command: dict[str, list[int]] = {}
    for stage, seconds in last.items():
        command, _, name = stage.partition(" ")
        if command != REPORT and (not name or name in names):
            by_command.setdefault(command, []).append(int(seconds))
    several = {command: f" ({len(all_of)})" if len(all_of) > 1 else "" for command, all_of in by_command.items()}
    return ", ".join(f"{command}{several[command]} {took(sum(all_of))}" for command, all_of in by_command.items())
