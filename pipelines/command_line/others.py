"""Commands beside the stages of dvc.yaml that make something: data, parameters, pictures, weights."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.command_line.shared import ANY, FILE, FOLDER, READABLE, one_line_errors, section, with_params

if TYPE_CHECKING:
    from augment.methods.disentangled.method import Factor
    from pipelines.params import Params

CORES = len(os.sched_getaffinity(0))


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--force", is_flag=True, help="Overwrite params.yaml even if edits of it are lost.")
@click.pass_context
def profile(context: click.Context, names: tuple[str, ...], force: bool) -> None:
    """Write params.yaml for another size of the run: demo, paper, ...

    NAME is a profile: a file in profiles/ without its suffix, or the path of any file like them that ends in .yaml. A
    profile says what it changes in the defaults, profiles/demo.yaml; several are applied in order.

    If params.yaml has edits that are not committed in git, nothing is written, unless --force is given. What this
    command itself wrote is no edit.
    """
    from pipelines.commands import profile as command

    with one_line_errors(context):
        command.run(names, force)


@click.command()
@click.option(
    "--gan",
    type=FOLDER,
    default="data/pretrained/full",
    show_default=True,
    help="Folder of a trained generator, one that train-gan wrote, data/gan/NAME, or one that came with the project.",
)
@click.option(
    "--image",
    "images",
    type=READABLE,
    required=True,
    multiple=True,
    help="The person to redraw: a photograph, or a crop of one; several for a generator from several sources.",
)
@click.option("--pose", type=READABLE, help="A picture like it of a person in the wanted pose.")
@click.option(
    "--background",
    type=READABLE,
    help="Image to draw behind the person; for a generator trained with backgrounds, or a disentangled one.",
)
@click.option(
    "--noise",
    type=click.Choice(["foreground", "background", "pose"]),
    multiple=True,
    help="What a disentangled generator makes of noise, not of the image or the pose; may be given several times.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="S", help="Seed of the noise.")
@click.option("--out", type=FILE, required=True, help="PNG to write.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--threads", type=click.IntRange(1), default=CORES, show_default="all cores", metavar="N")
@click.pass_context
def generate(
    context: click.Context,
    gan: Path,
    images: tuple[Path, ...],
    pose: Path | None,
    background: Path | None,
    noise: tuple[Factor, ...],
    seed: int,
    out: Path,
    device: str,
    threads: int,
) -> None:
    """Redraw one person in the pose of another image; needs no params.yaml.

    All images must show a whole person, with both shoulders and both hips. Of a photograph the person whom a detector
    is surest of is cut out; a picture of the generator's shape that one person fills is taken as it is. BlazePose finds
    the poses.
    """
    from pipelines.commands import generate as command

    with one_line_errors(context):
        command.run(gan, images, pose, background, noise, seed, out, device, threads)


@click.command()
@click.argument("images", type=READABLE, nargs=-1)
@click.option("--gan", type=FOLDER, required=True, help="Folder of a disentangled generator that train-gan wrote.")
@click.option(
    "--factor",
    "factors",
    type=click.Choice(["foreground", "background", "pose"]),
    multiple=True,
    help="What changes from the first to the second; may be given several times.  [default: all]",
)
@click.option("--steps", type=click.IntRange(2), default=8, show_default=True, metavar="N", help="Images to draw.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="S", help="Seed of the noise.")
@click.option("--out", type=FILE, required=True, help="PNG to write, all images side by side.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--threads", type=click.IntRange(1), default=CORES, show_default="all cores", metavar="N")
@click.pass_context
def interpolate(
    context: click.Context,
    images: tuple[Path, ...],
    gan: Path,
    factors: tuple[Factor, ...],
    steps: int,
    seed: int,
    out: Path,
    device: str,
    threads: int,
) -> None:
    """Draw people between two, evenly in the noise of their factors; needs no params.yaml.

    IMAGES are two pictures of people, as `generate` takes them, whose noise is found by gradient descent; without any,
    both people are made of noise.
    """
    from pipelines.commands import interpolate as command

    with one_line_errors(context):
        command.run(gan, images, factors, steps, seed, out, device, threads)


@click.command()
@click.argument("network")
@click.option(
    "--model", type=FOLDER, required=True, help="Folder of the network to begin with, of train-reid or refine."
)
@click.option(
    "--images",
    type=ANY,
    required=True,
    help="Folder or zip of images of a person each; of a data set, its bounding_box_train.",
)
@click.option("--seed", type=click.IntRange(0), metavar="S", show_default="the first of `seeds`")
@click.option("--out", type=FOLDER, required=True, help="Folder to write the network to.")
@with_params
def refine(params: Params, network: str, model: Path, images: Path, seed: int | None, out: Path) -> None:
    """Train a Re-ID network further on images of people without labels (PUL).

    NETWORK is its section of `reid`, whose `progressive` and `training` say how; train-reid does the same where the
    images are the real training images. An interrupted run goes on where it was when the command is run again.
    """
    from pipelines.commands import refine as command

    reid = section(params.reid, network, "reid")
    chosen = params.seeds[0] if seed is None else seed
    command.run(network, reid, model, images, out, chosen, params.device, params.threads)


@click.command()
@click.argument("name")
@click.option("--out", type=FOLDER, required=True, help="Folder to write, data/pretrained/NAME say; replaced whole.")
@click.option(
    "--note", required=True, help="For the model card: whom it was trained on, for how long, on what machine."
)
@click.option("--licence", default="Apache-2.0", show_default=True, help="For the model card: terms of the weights.")
@click.pass_context
def publish(context: click.Context, name: str, out: Path, note: str, licence: str) -> None:
    """Write a trained generator in half precision, with a model card, for others to start from.

    NAME is a section of `gan`; train-gan and score-gan (of it, and of `real`) must have run.
    """
    from pipelines.commands import publish as command

    with one_line_errors(context):
        command.run(name, out, note, licence)


@click.command()
@click.argument("key")
@click.argument("values", nargs=-1, required=True, metavar="VALUE...")
@click.option("--out", type=FILE, show_default="sweep-KEY", help="Table and figure to write, without suffix.")
@click.pass_context
def sweep(context: click.Context, key: str, values: tuple[str, ...], out: Path | None) -> None:
    """Run `dvc repro report` for several values of a parameter, and draw the gains against it.

    KEY is one of params.yaml, dataset.train_people say, and VALUE... what it is to be. In the end params.yaml is as it
    was before. Interrupted and run again, the command goes on where it was. It needs three `seeds` or more.
    """
    from pipelines.commands import sweep as command

    with one_line_errors(context):
        command.run(key, values, out or Path(f"sweep-{key}"))


@click.command()
@click.option(
    "--identities",
    type=int,
    required=True,
    metavar="N",
    help="Number of people, half of them for training; from 2 to 8000.",
)
@click.option("--seed", type=int, default=0, show_default=True, metavar="S", help="Seed of everything that is random.")
@click.option("--out", type=ANY, required=True, help="New folder or .zip to write.")
@click.option(
    "--processes",
    type=click.IntRange(1),
    default=CORES,
    show_default="all cores",
    metavar="P",
    help="Processes that render at once; they do not change the result.",
)
@click.option(
    "--backgrounds/--no-backgrounds", default=True, help="Whether to write each image without its person too."
)
@click.pass_context
def render(context: click.Context, identities: int, seed: int, out: Path, processes: int, backgrounds: bool) -> None:
    """Render a Re-ID data set like `streets`, of any size; needs no params.yaml.

    It is in Market-1501's layout, with masks, joints and backgrounds beside the images (docs/streets.md). Run again
    with the same arguments, an interrupted command goes on where it was.
    """
    from pipelines.commands import render as command

    with one_line_errors(context):
        command.run(identities, seed, out, processes, backgrounds)


@click.command()
@click.option("--path", type=ANY, required=True, help="PRW as published, a folder or a zip.")
@click.option("--out", type=FILE, required=True, help="New .zip to write, for `dataset.path` in params.yaml.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="S", help="Seed of the choice of backgrounds.")
@click.option(
    "--size",
    type=(click.IntRange(1), click.IntRange(1)),
    default=(128, 64),
    show_default=True,
    metavar="H W",
    help="Height and width of the images, in pixels.",
)
@click.pass_context
def import_prw(context: click.Context, path: Path, out: Path, seed: int, size: tuple[int, int]) -> None:
    """Cut people and their backgrounds out of PRW's frames, as a data set; needs no params.yaml.

    An image's background is the same place in another frame of its video, where nobody stands there; images without
    such a frame are left out.
    """
    from pipelines.commands import import_prw as command

    with one_line_errors(context):
        command.run(path, out, seed, size)


@click.command()
@click.argument("path", type=ANY)
@click.option("--out", type=FOLDER, required=True, help="New folder to write: train.json and gallery.json.")
@click.pass_context
def keypoints(context: click.Context, path: Path, out: Path) -> None:
    """Write the joints of an exported set's people as COCO annotations; needs no params.yaml.

    PATH is the folder or zip that `export` wrote of this project's data. A generated image has the pose that it was
    drawn in.
    """
    from pipelines.commands import keypoints as command

    with one_line_errors(context):
        command.run(path, out)


OTHERS = (
    profile,
    generate,
    interpolate,
    refine,
    publish,
    sweep,
    render,
    import_prw,
    keypoints,
)
