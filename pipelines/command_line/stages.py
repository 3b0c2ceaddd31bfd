"""Commands that are stages of dvc.yaml. Settings come from params.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
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
    searcher,
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
def check_params(params: Params) -> None:
    """Check params.yaml: each value, and whether they fit together.

    As a stage it comes before all others, so that no value that is wrong becomes part of another stage's command.
    """
    from pipelines.stages import check_params as stage

    stage.run(params)


@click.command()
@with_params
def prepare(params: Params) -> None:
    """Read the data set into sample tables, and check it.

    `dataset` in params.yaml says which; the tables are written to data/samples, that of the training set to
    data/augmented/real-a1 too.
    """
    from pipelines.stages import prepare as stage

    stage.run(params.dataset, params.seed)


@click.command()
@with_params
def estimate_poses(params: Params) -> None:
    """Estimate the poses, 18 joints, of the people in the training and gallery images.

    `pose` in params.yaml says by which estimator; they are written to data/poses.
    """
    from pipelines.stages import estimate_poses as stage

    stage.run(params.pose, params.threads)


@click.command()
@with_params
def pair(params: Params) -> None:
    """Pair images of the same person, to train and test generators with.

    The pairs are written to data/pairs: a source image, and a target image with the pose to redraw the person in.
    """
    from pipelines.stages import pair as stage

    stage.run(params.pairs, params.seed, params.image_size)


@click.command()
@click.argument("name")
@with_params
def train_gan(params: Params, name: str) -> None:
    """Train the generator NAME, a section of `gan` in params.yaml.

    It is written to data/gan/NAME. An interrupted training goes on where it was when the command is run again.
    """
    from pipelines.stages import train_gan as stage

    stage.run(name, section(params.gan, name, "gan"), params.seed, params.device, params.threads, params.image_size)


@click.command()
@click.argument("name")
@with_params
def score_gan(params: Params, name: str) -> None:
    """Score the images that a trained generator draws of test people, or the real ones.

    NAME is a section of `gan`, or `real` for the real target images, with which the others are compared. SSIM,
    Inception Score and others are written to data/gan_scores/NAME.json, with sheets of what was scored.
    """
    from pipelines.stages import score_gan as stage

    if name != layout.REAL:
        section(params.gan, name, "gan")
    stage.run(name, params.scores, searcher(params), params.seed, params.device, params.threads, params.image_size)


@click.command()
@click.argument("name")
@with_params
def score_sources(params: Params, name: str) -> None:
    """Score a trained generator from several sources with one of them, with two, and so on.

    NAME is a section of `gan`. The scores of score-gan by number of sources are written to
    data/gan_scores/NAME-sources.tsv, with a figure.
    """
    from pipelines.stages import score_sources as stage

    section(params.gan, name, "gan")
    stage.run(name, params.scores, searcher(params), params.seed, params.device, params.threads, params.image_size)


@click.command()
@click.argument("name")
@with_params
def score_features(params: Params, name: str) -> None:
    """Score a disentangled generator's embeddings of people as Re-ID features.

    NAME is a section of `gan`. Rank-1 and mAP of the foreground embeddings, of their principal components, and of
    chance are written to data/gan_scores/NAME-features.tsv.
    """
    from pipelines.stages import score_features as stage

    needs_queries(params)
    section(params.gan, name, "gan")
    stage.run(name, params.pose, params.scores.pca, params.seed, params.device, params.threads, params.image_size)


@click.command()
@click.argument("name")
@with_params
def score_noise(params: Params, name: str) -> None:
    """Score a trained generator with noise on the source poses: is it robust to pose estimation errors?

    NAME is a section of `gan`. mask-SSIM and mask-IS by strength of the noise are written to
    data/gan_scores/NAME-noise.tsv, with a figure.
    """
    from pipelines.stages import score_noise as stage

    section(params.gan, name, "gan")
    stage.run(name, params.scores, params.seed, params.device, params.threads, params.image_size)


@click.command()
@click.argument("name")
@click.option(
    "--alpha", type=int, required=True, metavar="N", help="Size of the set as a multiple of the real one, from 2."
)
@with_params
def augment(params: Params, name: str, alpha: int) -> None:
    """Enlarge the training set with alpha - 1 new images for each real one.

    NAME is a trained generator, a section of `gan`, which redraws the training people in others' poses; one of
    `selections`, the best of several of its images; or a rendering: `views` (of the training people, in other moments),
    `pasted` (before other backgrounds) or `identities` (of new people); or one of `virtual`, people who do not exist.
    The set is written to data/augmented/NAME-aN.
    """
    from augment.plans.rendering import RENDERINGS

    needs_queries(params)
    if name in RENDERINGS:
        from pipelines.stages import augment_rendered

        augment_rendered.run(name, alpha, params.seed, params.threads)
    elif name in params.selection:
        from pipelines.stages import augment_selected

        augment_selected.run(
            name,
            params.selection[name],
            alpha,
            searcher(params),
            params.scores.detector,
            params.seed,
            params.device,
            params.threads,
            params.image_size,
        )
    elif name in params.virtual_people:
        from pipelines.stages import augment_virtual

        invented = params.virtual_people[name]
        augment_virtual.run(name, invented, alpha, params.seed, params.device, params.threads, params.image_size)
    else:
        from pipelines.stages import augment as stage

        stage.run(name, alpha, params.seed, params.device, params.threads, params.image_size)


@click.command()
@click.argument("network")
@click.option(
    "--train",
    type=FOLDER,
    default=layout.SAMPLES,
    show_default=True,
    help="Folder with train.parquet, the training set: that of the real images, or one that augment wrote.",
)
@click.option(
    "--seed", type=click.IntRange(0), metavar="S", show_default="the first of `seeds`", help="Seed of the training."
)
@click.option("--out", type=FOLDER, required=True, help="Folder to write the trained network to.")
@with_params
def train_reid(params: Params, network: str, train: Path, seed: int | None, out: Path) -> None:
    """Train the Re-ID network NETWORK, a section of `reid` in params.yaml.

    An interrupted training goes on where it was when the command is run again.
    """
    from pipelines.stages import train_reid as stage

    needs_queries(params)
    reid = section(params.reid, network, "reid")
    chosen = params.seeds[0] if seed is None else seed
    stage.run(reid, train, out, chosen, params.device, params.threads, params.image_size)


@click.command()
@click.argument("network")
@click.option(
    "--train", type=FOLDER, default=layout.SAMPLES, show_default=True, help="The --train it was trained with."
)
@click.option("--model", type=FOLDER, required=True, help="Folder that train-reid or refine wrote.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    metavar="S",
    show_default="the first of `seeds`",
    help="Seed of the pairs that metrics are learnt from, and of the plot of features.",
)
@click.option(
    "--out", type=FILE, required=True, help="JSON file to write; a .parquet and a .png are written beside it."
)
@with_params
def evaluate(params: Params, network: str, train: Path, model: Path, seed: int | None, out: Path) -> None:
    """Evaluate a trained Re-ID network on the test set: CMC and mAP.

    NETWORK is its section of `reid` in params.yaml, which says what distances to evaluate it with.
    """
    from pipelines.stages import evaluate as stage

    needs_queries(params)
    reid = section(params.reid, network, "reid")
    chosen = params.seeds[0] if seed is None else seed
    stage.run(reid, params.distances, params.evaluation, train, model, out, chosen, params.device, params.threads)


@click.command()
@with_params
def report(params: Params) -> None:
    """Gather all scores into tables, figures and a page of pictures.

    The training sets and networks are those that params.yaml names. The page is data/report/index.html, the numbers are
    in data/report/metrics.json.
    """
    from pipelines.stages import report as stage

    stage.run(params)


@click.command()
@click.argument("name")
@click.option("--alpha", type=int, required=True, metavar="N", help="The --alpha that augment was given.")
@click.option("--out", type=ANY, required=True, help="New folder or .zip to write.")
@click.option(
    "--layout",
    "form",
    type=OneOf(_layouts),
    show_default="the first",
    help="How folders lie: nested for torchreid and fast-reid, flat for TransReID and reid-strong-baseline.",
)
@click.option("--shards", is_flag=True, help="Write the images as WebDataset shards too.")
@click.option(
    "--parquet", is_flag=True, help="Write Parquet files with the images in them too (Hugging Face datasets)."
)
@click.option("--published", type=click.DateTime(["%Y-%m-%d"]), help="Date of publication, for croissant.json.")
@click.pass_context
def export(
    context: click.Context,
    name: str,
    alpha: int,
    out: Path,
    form: str | None,
    shards: bool,
    parquet: bool,
    published: datetime | None,
) -> None:
    """Write an augmented training set, and the test set, as a data set for other Re-ID code.

    NAME is the generator, rendering, selection or row of virtual people that `augment` made the set with
    (docs/reuse.md).
    """
    from pipelines.stages import export as stage

    with one_line_errors(context):
        day = published.date().isoformat() if published else None
        stage.run(name, alpha, out, form or _layouts()[0], shards, parquet, day)


STAGES = (
    check_params,
    prepare,
    estimate_poses,
    pair,
    train_gan,
    score_gan,
    score_noise,
    score_sources,
    score_features,
    augment,
    train_reid,
    evaluate,
    report,
    export,
)
