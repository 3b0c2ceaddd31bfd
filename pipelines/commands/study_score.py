"""Score the answers of a study in which people said of real and generated images which they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import pandas as pd

from pipelines.console import plain
from pipelines.report.tables import markdown
from pipelines.study.key import Answers, Key, read_answers, read_key
from pipelines.study.scores import Scores, score
from reid.common.errors import InputError
from reid.common.saved import save_json

TITLES = {
    "r2g": "R2G: real, taken for generated",
    "g2r": "G2R: generated, taken for real",
    "accuracy": "accuracy",
}


def run(key_path: Path, paths: Sequence[Path], out: Path | None) -> None:
    """Print the scores with their intervals, in per cent, and write them.

    Args:
        key_path: the key of the study.
        paths: files of answers, one of each participant.
        out: JSON to write, if any.

    Raises:
        InputError: a file is damaged, incomplete or of another study, two are of one participant, or `out` is one of
            them.
    """
    if out is not None and out.resolve() in {path.resolve() for path in (key_path, *paths)}:
        raise InputError(f"{out} would take the place of what it is made from: choose another --out")
    key = read_key(key_path)
    answers = _read_all(paths, key)
    scores = score(key, answers)
    click.echo(markdown(_table(scores)))
    over = "images alone, for this participant" if len(answers) == 1 else "participants and images"
    origins = [image.origin for image in key.images.values()]
    shown = f"{origins.count('real')} real, {origins.count('generated')} by {key.generator}, each for {key.seconds:g} s"
    click.echo(f"participants: {len(answers)}; images: {shown}; intervals over {over}")
    if out is not None:
        about = {"study": key.study, "generator": key.generator, "participants": len(answers), "intervals_over": over}
        in_per_cent = {
            name: {bound: round(100 * value, 4) for bound, value in share._asdict().items()}
            for name, share in scores._asdict().items()
        }
        save_json(about | in_per_cent, out)


def _read_all(paths: Sequence[Path], key: Key) -> list[Answers]:
    """The answers of all participants; warns of answers that came before the page takes any."""
    found = dict[str, Path]()
    everyone = []
    for path in paths:
        answers = read_answers(path, key)
        if (other := found.setdefault(answers.participant, path)) is not path:
            raise InputError(
                f"{path}: participant {answers.participant} is in {other} too: give each participant's file once"
            )
        early = sum(answer.milliseconds < 1000 * key.seconds for answer in answers.answers)
        if early:
            click.echo(
                plain(
                    f"warning: {path}: {early} answers before the image was gone, when the page takes none: look at it"
                )
            )
        everyone.append(answers)
    return everyone


def _table(scores: Scores) -> pd.DataFrame:
    lines = [
        {
            "per cent": TITLES[name],
            "share": f"{100 * share.mean:.1f}",
            "95 % interval": f"[{100 * share.low:.1f}, {100 * share.high:.1f}]",
        }
        for name, share in scores._asdict().items()
    ]
    return pd.DataFrame(lines)
