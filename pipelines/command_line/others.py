"""Commands that are not stages of dvc.yaml."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.command_line.shared import ANY, FILE, FOLDER, READABLE, one_line_errors, section, with_params

if TYPE_CHECKING:
    from pipelines.params import Params


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--force", is_flag=True, help="Overwrite such edits of params.yaml.")
@click.pass_context
def profile(context: click.Context, names: tuple[str, ...], force: bool) -> None:
    """Write params.yaml for another size of the run: demo, paper, ...

    NAME is a file of profiles/ without its suffix, or the path of any other file like them, ending in .yaml. It says
    what changes in the defaults, profiles/demo.yaml; several NAMEs change them in order.

    Where params.yaml is neither as committed in git nor as profiles give it, your edits would be lost: then nothing
    is written, except by --force.
    """
    from pipelines.commands import profile as command

    with one_line_errors(context):
        command.run(names, force)


@click.command()
@click.option("--gan", type=FOLDER, required=True, help="Folder that train-gan wrote.")
@click.option("--image", type=READABLE, required=True, help="The person to redraw: a crop around the whole body.")
@click.option("--pose", type=READABLE, required=True, help="A person in the wanted pose.")
@click.option("--background", type=READABLE, help="What to draw behind, for a generator trained with backgrounds.")
@click.option("--out", type=FILE, required=True, help="PNG to write.")
@with_params
def generate(params: Params, gan: Path, image: Path, pose: Path, background: Path | None, out: Path) -> None:
    """Redraw one person in the pose of another image."""
    from pipelines.commands import generate as command

    command.run(gan, image, pose, background, out, params.pose, params.device, params.threads)


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--out", type=FILE, default="comparison.png", show_default=True, help="PNG to write.")
@with_params
def compare(params: Params, names: tuple[str, ...], out: Path) -> None:
    """Draw the same test people by the generators NAME..., one below the other."""
    from pipelines.commands import compare as command

    for name in names:
        section(params.gan, name, "gan")
    command.run(list(names), out, params.seed, params.device, params.threads, params.image_size)


@click.command()
@click.argument("path", type=ANY)
@click.pass_context
def check(context: click.Context, path: Path) -> None:
    """Say all that is wrong with a data set in Market-1501's layout, a folder or a zip, ours or anybody's."""
    from pipelines.commands import check as command

    with one_line_errors(context):
        command.run(path)


@click.command()
@click.option("--identities", type=int, required=True, metavar="N", help="People, half for training; from 2 to 8000.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="S", help="Of everything.")
@click.option("--out", type=ANY, required=True, help="Folder to write, or a .zip.")
@click.option(
    "--processes", type=click.IntRange(1), default=len(os.sched_getaffinity(0)), show_default="all cores", metavar="P"
)
@click.option("--backgrounds/--no-backgrounds", default=True, help="Write each image without its person too.")
@click.pass_context
def render(context: click.Context, identities: int, seed: int, out: Path, processes: int, backgrounds: bool) -> None:
    """Render a Re-ID data set like `streets`, of any size; needs no params.yaml."""
    from pipelines.commands import render as command

    with one_line_errors(context):
        command.run(identities, seed, out, processes, backgrounds)


@click.command()
@click.option("--path", type=ANY, required=True, help="PRW as published, a folder or a zip.")
@click.option("--out", type=FILE, required=True, help="Zip to write, for `dataset.path`.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="S", help="Of the choice of backgrounds.")
@click.option(
    "--size", type=(click.IntRange(1), click.IntRange(1)), default=(128, 64), show_default=True, metavar="H W"
)
@click.pass_context
def import_prw(context: click.Context, path: Path, out: Path, seed: int, size: tuple[int, int]) -> None:
    """Cut people and their backgrounds out of PRW's frames, as a data set; needs no params.yaml."""
    from pipelines.commands import import_prw as command

    with one_line_errors(context):
        command.run(path, out, seed, size)


OTHERS = (profile, generate, compare, check, render, import_prw)
