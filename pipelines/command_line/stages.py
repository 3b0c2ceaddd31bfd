"""Commands that are stages of dvc.yaml. Settings come from params.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines import layout
from pipelines.command_line.shared import (
    ANY,
    FILE,
    FOLDER,
    OneOf,
    needs_queries,
    one_line_errors,
    section,
    with_params,
)

if TYPE_CHECKING:
    from pipelines.params import Params


def _layouts() -> Sequence[str]:
    from reid.export.layout import LAYOUTS

    return LAYOUTS


@click.command()
@with_params
def prepare(params: Params) -> None:
    """Read the Re-ID data set into sample tables and check it."""
    from pipelines.stages import prepare as stage

    stage.run(params.dataset)


@click.command()
@with_params
def estimate_poses(params: Params) -> None:
    """Find the 18 joints of the people."""
    from pipelines.stages import estimate_poses as stage

    stage.run(params.pose, params.threads)


@click.command()
@with_params
def pair(params: Params) -> None:
    """Pair images of the same person."""
    from pipelines.stages import pair as stage

    stage.run(params.pairs, params.seed, params.image_size)


@click.command()
@click.argument("name")
@with_params
def train_gan(params: Params, name: str) -> None:
    """Train the generator NAME, a section of `gan`."""
    from pipelines.stages import train_gan as stage

    stage.run(name, section(params.gan, name, "gan"), params.seed, params.device, params.threads, params.image_size)


@click.command()
@click.argument("name")
@with_params
def score_gan(params: Params, name: str) -> None:
    """Score the images that the generator NAME draws of people whom it has not seen, or the `real` images of them."""
    from pipelines.stages import score_gan as stage

    if name != layout.REAL:
        section(params.gan, name, "gan")
    identity = params.scores.identity
    model = layout.reid(layout.REAL, identity, params.seeds[0])
    searcher = stage.Searcher(model, params.reid[identity].mirror)
    stage.run(name, params.scores, searcher, params.seed, params.device, params.threads, params.image_size)


@click.command()
@click.argument("name")
@with_params
def score_noise(params: Params, name: str) -> None:
    """Score the generator NAME with noise on its source poses: how robust is it to a bad pose estimator?"""
    from pipelines.stages import score_noise as stage

    section(params.gan, name, "gan")
    stage.run(name, params.scores, params.seed, params.device, params.threads, params.image_size)


@click.command()
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


@click.command()
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


@click.command()
@click.argument("network")
@click.option("--train", type=FOLDER, default=layout.SAMPLES, show_default=True, help="What the network trained on.")
@click.option("--model", type=FOLDER, required=True, help="Folder that train-reid wrote.")
@click.option("--seed", type=click.IntRange(0), metavar="S", show_default="the first of `seeds`")
@click.option("--out", type=FILE, required=True, help="JSON file to write.")
@with_params
def evaluate(params: Params, network: str, train: Path, model: Path, seed: int | None, out: Path) -> None:
    """Measure a trained Re-ID network on the test set."""
    from pipelines.stages import evaluate as stage

    needs_queries(params)
    reid = section(params.reid, network, "reid")
    chosen = params.seeds[0] if seed is None else seed
    stage.run(reid, params.distances, params.evaluation, train, model, out, chosen, params.device, params.threads)


@click.command()
@with_params
def report(params: Params) -> None:
    """Gather the scores into the table, figures and one page of pictures."""
    from pipelines.stages import report as stage

    stage.run(params)


@click.command()
@click.argument("name")
@click.option("--alpha", type=int, required=True, metavar="N", help="Size of the set, as a multiple of the real one.")
@click.option("--out", type=ANY, required=True, help="Folder to write, or a .zip.")
@click.option("--layout", "form", type=OneOf(_layouts), show_default="the first", help="Of folders.")
@click.option("--shards", is_flag=True, help="Write the images as WebDataset shards too.")
@click.pass_context
def export(context: click.Context, name: str, alpha: int, out: Path, form: str | None, shards: bool) -> None:
    """Write the set that `augment` made of NAME as a data set for other Re-ID code."""
    from pipelines.stages import export as stage

    with one_line_errors(context):
        stage.run(name, alpha, out, form or _layouts()[0], shards)


STAGES = (
    prepare,
    estimate_poses,
    pair,
    train_gan,
    score_gan,
    score_noise,
    augment,
    train_reid,
    evaluate,
    report,
    export,
)
