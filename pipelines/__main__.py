"""The command line: `python -m pipelines STAGE`, each also a stage of dvc.yaml. Settings come from params.yaml."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines import layout
from reid.common.errors import InputError
from reid.datasets import WITHOUT_QUERIES
from reid.export.layout import LAYOUTS

if TYPE_CHECKING:
    from pipelines.params import Params

# What bad input raises; anything else is a fault of the program and keeps its traceback.
USER_ERRORS = (InputError, OSError, FloatingPointError)
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


def with_params(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the parameters, and turn bad input into one line instead of a traceback."""

    @wraps(command)
    @click.pass_context
    def run(context: click.Context, *arguments: Any, **options: Any) -> None:
        with one_line_errors(context):
            from pipelines import params  # imports torch, which processes that render are spared

            command(params.load(), *arguments, **options)

    return run


@contextmanager
def one_line_errors(context: click.Context) -> Iterator[None]:
    """Turn bad input into one line instead of a traceback."""
    try:
        yield
    except USER_ERRORS as error:
        if context.find_root().params["debug"]:
            raise
        raise click.ClickException(str(error)) from error


def section(sections: dict[str, Any], name: str, kind: str) -> Any:
    """A named section; raises BadParameter listing the names that there are."""
    if name not in sections:
        raise click.BadParameter(f"params.yaml has no section {kind}.{name}; there are {', '.join(sections)}")
    return sections[name]


def needs_queries(params: Params) -> None:
    """Raise InputError for a data set without queries and cameras: what follows is Re-ID."""
    if params.dataset.name in WITHOUT_QUERIES:
        raise InputError(
            f"dataset.name is {params.dataset.name}, which has no cameras and no queries: it is for training "
            "and testing generators. Run `dvc repro train_gan`, or set `dataset` to a Re-ID data set"
        )


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Person re-identification with generated training images.

    Settings are read from params.yaml in the current folder. `dvc repro` runs all stages that are out of date.
    """


@main.command()
@with_params
def prepare(params: Params) -> None:
    """Read the Re-ID data set into sample tables and check it."""
    from pipelines.stages import prepare as stage

    stage.run(params.dataset, params.threads)


@main.command()
@with_params
def estimate_poses(params: Params) -> None:
    """Find the 18 joints of the people."""
    from pipelines.stages import estimate_poses as stage

    stage.run(params.pose, params.threads)


@main.command()
@with_params
def pair(params: Params) -> None:
    """Pair images of the same person."""
    from pipelines.stages import pair as stage

    stage.run(params.pairs, params.seed, params.image_size)


@main.command()
@click.argument("name")
@with_params
def train_gan(params: Params, name: str) -> None:
    """Train the generator NAME, a section of `gan`."""
    from pipelines.stages import train_gan as stage

    stage.run(name, section(params.gan, name, "gan"), params.seed, params.device, params.threads, params.image_size)


@main.command()
@click.argument("name")
@with_params
def score_gan(params: Params, name: str) -> None:
    """Score the images that the generator NAME draws of people whom it has not seen, or the `real` images of them."""
    from pipelines.stages import score_gan as stage

    if name != layout.REAL:
        section(params.gan, name, "gan")
    seed = params.seeds[0]
    stage.run(name, params.scores, params.seed, seed, params.device, params.threads, params.image_size)


@main.command()
@click.argument("name")
@with_params
def score_noise(params: Params, name: str) -> None:
    """Score the generator NAME with noise on its source poses: how robust is it to a bad pose estimator?"""
    from pipelines.stages import score_noise as stage

    section(params.gan, name, "gan")
    stage.run(name, params.scores, params.seed, params.device, params.threads, params.image_size)


@main.command()
@click.argument("name")
@click.option("--alpha", type=int, required=True, metavar="N", help="Size of the set, as a multiple of the real one.")
@with_params
def augment(params: Params, name: str, alpha: int) -> None:
    """Make alpha - 1 images for each training image.

    NAME is a generator, which redraws the training people in others' poses, or a rendering: `views` (of the training
    people, in other moments) or `identities` (of new people).
    """
    from augment.plans.rendering import RENDERINGS

    needs_queries(params)
    if name in RENDERINGS:
        from pipelines.stages import augment_rendered

        augment_rendered.run(name, alpha, params.seed, params.threads)
    else:
        from pipelines.stages import augment as stage

        stage.run(name, alpha, params.seed, params.device, params.threads, params.image_size)


@main.command()
@click.argument("network")
@click.option("--train", type=FOLDER, default=layout.SAMPLES, show_default=True, help="Folder with train.parquet.")
@click.option("--seed", type=click.IntRange(0), metavar="S", show_default="the first of `seeds`")
@click.option("--out", type=FOLDER, required=True, help="Folder to write the trained network to.")
@with_params
def train_reid(params: Params, network: str, train: Path, seed: int | None, out: Path) -> None:
    """Train the Re-ID network NETWORK, a section of `reid`."""
    from pipelines.stages import train_reid as stage

    needs_queries(params)
    reid = section(params.reid, network, "reid")
    chosen = params.seeds[0] if seed is None else seed
    stage.run(reid, train, out, chosen, params.device, params.threads, params.image_size)


@main.command()
@click.argument("network")
@click.option("--train", type=FOLDER, default=layout.SAMPLES, show_default=True, help="What the network trained on.")
@click.option("--model", type=FOLDER, required=True, help="Folder that train-reid wrote.")
@click.option("--out", type=FILE, required=True, help="JSON file to write.")
@with_params
def evaluate(params: Params, network: str, train: Path, model: Path, out: Path) -> None:
    """Measure a trained Re-ID network on the test set."""
    from pipelines.stages import evaluate as stage

    needs_queries(params)
    distances = section(params.reid, network, "reid").distances
    stage.run(distances, params.evaluation, train, model, out, params.device, params.threads)


@main.command()
@with_params
def report(params: Params) -> None:
    """Gather the scores into the table, figures and one page of pictures."""
    from pipelines.stages import report as stage

    stage.run(params)


@main.command()
@click.argument("name")
@click.option("--alpha", type=int, required=True, metavar="N", help="Size of the set, as a multiple of the real one.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write, or a .zip.")
@click.option("--layout", "form", type=click.Choice(LAYOUTS), default=LAYOUTS[0], show_default=True, help="Of folders.")
@click.option("--shards", is_flag=True, help="Write the images as WebDataset shards too.")
@click.pass_context
def export(context: click.Context, name: str, alpha: int, out: Path, form: str, shards: bool) -> None:
    """Write the set that `augment` made of NAME as a data set for other Re-ID code."""
    from pipelines.stages import export as stage

    with one_line_errors(context):
        stage.run(name, alpha, out, form, shards)


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_context
def check(context: click.Context, path: Path) -> None:
    """Say all that is wrong with a data set in Market-1501's layout, a folder or a zip, ours or anybody's."""
    from pipelines.commands import check as stage

    with one_line_errors(context):
        stage.run(path)


@main.command()
@click.option("--gan", type=FOLDER, required=True, help="Folder that train-gan wrote.")
@click.option("--image", type=READABLE, required=True, help="The person to redraw: a crop around the whole body.")
@click.option("--pose", type=READABLE, required=True, help="A person in the wanted pose.")
@click.option("--background", type=READABLE, help="What to draw behind, for a generator trained with backgrounds.")
@click.option("--out", type=FILE, required=True, help="PNG to write.")
@with_params
def generate(params: Params, gan: Path, image: Path, pose: Path, background: Path | None, out: Path) -> None:
    """Redraw one person in the pose of another image."""
    from pipelines.commands import generate as stage

    stage.run(gan, image, pose, background, out, params.pose, params.device, params.threads)


@main.command()
@click.option("--identities", type=int, required=True, metavar="N", help="People, half for training; from 2 to 8000.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="S", help="Of everything.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write, or a .zip.")
@click.option(
    "--processes", type=click.IntRange(1), default=len(os.sched_getaffinity(0)), show_default="all cores", metavar="P"
)
@click.option("--backgrounds/--no-backgrounds", default=True, help="Write each image without its person too.")
@click.pass_context
def render(context: click.Context, identities: int, seed: int, out: Path, processes: int, backgrounds: bool) -> None:
    """Render a Re-ID data set like `streets`, of any size; needs no params.yaml."""
    from pipelines.commands import render as stage

    with one_line_errors(context):
        stage.run(identities, seed, out, processes, backgrounds)


@main.command()
@click.option("--path", type=click.Path(path_type=Path), required=True, help="PRW as published, a folder or a zip.")
@click.option("--out", type=FILE, required=True, help="Zip to write, for `dataset.path`.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="S", help="Of the choice of backgrounds.")
@click.option(
    "--size", type=(click.IntRange(1), click.IntRange(1)), default=(128, 64), show_default=True, metavar="H W"
)
@click.pass_context
def import_prw(context: click.Context, path: Path, out: Path, seed: int, size: tuple[int, int]) -> None:
    """Cut people and their backgrounds out of PRW's frames, as a data set; needs no params.yaml."""
    from pipelines.commands import import_prw as stage

    with one_line_errors(context):
        stage.run(path, out, seed, size)


if __name__ == "__main__":
    main(prog_name="python -m pipelines")
