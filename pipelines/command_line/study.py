"""`study make` and `study score`: people say of real and generated images which they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.command_line.shared import FILE, READABLE, one_line_errors, section, with_params

if TYPE_CHECKING:
    from pipelines.params import Params


@click.group()
def study() -> None:
    """Let people tell real images from generated ones: `study make` writes the page, `study score` reads answers."""


@study.command()
@click.argument("generator")
@click.option(
    "--images",
    type=click.IntRange(2),
    default=50,
    show_default=True,
    metavar="N",
    help="Number of images of each kind that count.",
)
@click.option(
    "--practice",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    metavar="N",
    help="Number of images of each kind before those: the page tells what they are, and they do not count.",
)
@click.option(
    "--seconds",
    type=float,
    default=1.0,
    show_default=True,
    metavar="S",
    help="Time that each image is shown.",
)
@click.option(
    "--seed",
    "choice_seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="S",
    help="Seed of the choice of images; each participant sees them in an order of their own.",
)
@click.option("--out", type=FILE, default="study.html", show_default=True, help="Page to write; its key lies beside.")
@with_params
def make(
    params: Params, generator: str, images: int, practice: int, seconds: float, choice_seed: int, out: Path
) -> None:
    """Write a page that shows people real and generated test images, and asks which they are.

    GENERATOR is a section of `gan` that is trained. The page is one file, for any browser; it sends nothing, and ends
    with a file of answers. Keep OUT.key.json, which says what each image is, to yourself (docs/study.md).
    """
    from pipelines.commands import study_make as command

    section(params.gan, generator, "gan")
    command.run(
        generator,
        images,
        practice,
        seconds,
        choice_seed,
        out,
        params.seed,
        params.device,
        params.threads,
        params.image_size,
    )


@study.command()
@click.argument("key", type=READABLE)
@click.argument("answers", type=READABLE, nargs=-1, required=True, metavar="ANSWERS...")
@click.option("--out", type=FILE, help="JSON to write: the scores.")
@click.pass_context
def score(context: click.Context, key: Path, answers: tuple[Path, ...], out: Path | None) -> None:
    """Say how often people took real images for generated ones (R2G), and generated ones for real (G2R).

    KEY is the file that `study make` wrote beside the page, ANSWERS... are the files that participants saved. Intervals
    are over participants and images; needs no params.yaml.
    """
    from pipelines.commands import study_score as command

    with one_line_errors(context):
        command.run(key, answers, out)
