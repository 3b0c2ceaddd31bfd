"""Commands that measure or show what stages have made; `check` and `doctor` look at what others have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.command_line.shared import ANY, FILE, FOLDER, READABLE, one_line_errors, searcher, section, with_params
from pipelines.command_line.study import study

if TYPE_CHECKING:
    from pipelines.params import Params


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--out", type=FILE, default="comparison.png", show_default=True, help="PNG to write.")
@with_params
def compare(params: Params, names: tuple[str, ...], out: Path) -> None:
    """Draw the same test people with several trained generators, one below the other.

    NAME... are sections of `gan`. The people are those of the sheets that the generators draw while they train.
    """
    from pipelines.commands import compare as command

    for name in names:
        section(params.gan, name, "gan")
    command.run(list(names), out, params.seed, params.device, params.threads, params.image_size)


@click.command()
@click.argument("name")
@click.option(
    "--out", type=FILE, default="attention", show_default=True, help="Table and figure to write, without suffix."
)
@with_params
def attention(params: Params, name: str, out: Path) -> None:
    """Draw test people from one source, from two, and so on, with the attention that each source gets.

    NAME is a section of `gan` whose method is multi_source. The table says whether it looks away from a black source,
    and at sources that show what it draws.
    """
    from pipelines.commands import attention as command

    section(params.gan, name, "gan")
    command.run(name, out, params.scores.pairs, params.seed, params.device, params.threads, params.image_size)


@click.command()
@click.argument("name")
@click.option("--out", type=FILE, default="factors.png", show_default=True, help="PNG to write.")
@with_params
def factors(params: Params, name: str, out: Path) -> None:
    """Draw test people with foreground, background or pose made of noise, and people between two others.

    NAME is a section of `gan` whose method is disentangled.
    """
    from pipelines.commands import factors as command

    section(params.gan, name, "gan")
    command.run(name, out, params.seed, params.device, params.threads, params.image_size)


@click.command()
@click.argument("name")
@click.option(
    "--alpha", type=click.IntRange(2), default=2, show_default=True, metavar="A", help="Alpha of the training set."
)
@click.option(
    "--out", type=FILE, default="invented", show_default=True, help="Table and figures to write, without suffix."
)
@with_params
def invented(params: Params, name: str, alpha: int, out: Path) -> None:
    """Measure whether people who do not exist are people, and nobody of the training set, and sampled poses poses.

    NAME is a section of `virtual_people` whose training set exists. The network of `scores.identity` judges the people.
    """
    from pipelines.commands import invented as command

    generator = section(params.virtual_people, name, "virtual_people").generator
    command.run(
        name, generator, alpha, out, searcher(params), params.seed, params.device, params.threads, params.image_size
    )


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--out", type=FILE, default="curve", show_default=True, help="Table and figure to write, without suffix.")
@with_params
def curve(params: Params, names: tuple[str, ...], out: Path) -> None:
    """Score generators as they were at each sheet of their training, against the minutes that it took.

    NAME... are sections of `gan` with `keep: true`, without which a training keeps its last generator only.
    """
    from pipelines.commands import curve as command

    for name in names:
        section(params.gan, name, "gan")
    command.run(
        list(names), out, params.scores, searcher(params), params.seed, params.device, params.threads, params.image_size
    )


@click.command()
@click.option("--earlier", type=READABLE, help="Scores kept by --keep, to take with those of data/scores.")
@click.option("--alone", is_flag=True, help="Take the scores of --earlier alone, not those of data/scores too.")
@click.option("--out", type=FILE, help="Without suffix: OUT.tsv, each two rows and networks; OUT.png, a figure.")
@click.option("--keep", "kept", type=FILE, help="Parquet to write: all queries' scores, from which all this follows.")
@click.option("--rule", type=click.Choice(["trapezoid", "step"]), default="trapezoid", show_default=True)
@click.pass_context
def gains(
    context: click.Context, earlier: Path | None, alone: bool, out: Path | None, kept: Path | None, rule: str
) -> None:
    """Compare all rows that have been measured with at least 3 seeds, while others are still to come.

    It reads the score files in data/scores, whatever params.yaml names, and prints what each training set adds to the
    real images, with 95 % intervals over seeds and people.
    """
    from pipelines.commands import gains as command

    with one_line_errors(context):
        command.run(earlier, out, kept, rule, alone)


@click.command()
@click.argument("key")
@click.option(
    "--at",
    "pairs",
    type=(str, READABLE),
    multiple=True,
    required=True,
    metavar="VALUE SCORES",
    help="A value, and the scores kept of it; once for each value, in the order of the figure.",
)
@click.option("--out", type=FILE, default="swept", show_default=True, help="Table and figure to write, without suffix.")
@click.option("--rule", type=click.Choice(["trapezoid", "step"]), default="trapezoid", show_default=True)
@click.pass_context
def swept(context: click.Context, key: str, pairs: tuple[tuple[str, Path], ...], out: Path, rule: str) -> None:
    """Draw gains against the values of a parameter, from scores that `gains --keep` wrote of each.

    It is `sweep` for values that were run one by one, on several machines say. KEY is what the axis is called. Shown
    are the rows and networks that all values have. The table also has by how much each gain differs from that at the
    last value, with an interval.
    """
    from pipelines.commands import swept as command

    with one_line_errors(context):
        command.run(key, pairs, out, rule)


@click.command()
@click.argument("name")
@click.option(
    "--alpha", type=click.IntRange(2), default=2, show_default=True, metavar="A", help="Alpha of the training set."
)
@click.option("--out", type=FILE, default="costs", show_default=True, help="Table and figure to write, without suffix.")
@with_params
def costs(params: Params, name: str, alpha: int, out: Path) -> None:
    """Find the images of a training set that cost most, and draw them.

    NAME is a generator, rendering or selection whose training set exists. What an image costs is the rise of the mean
    average precision when it is left out, while the real training images are searched for in the training set, by the
    network of `scores.identity` that was trained on the real images.
    """
    from pipelines.commands import costs as command

    command.run(name, alpha, out, searcher(params), params.device, params.threads)


@click.command()
@click.argument("network")
@click.option("--model", type=FOLDER, required=True, help="Folder that train-reid or refine wrote.")
@click.option(
    "--out", type=FILE, default="rounds", show_default=True, help="Table and figure to write, without suffix."
)
@with_params
def rounds(params: Params, network: str, model: Path, out: Path) -> None:
    """Score a network after each round of its training without labels.

    NETWORK is its section of `reid`, with `progressive`. Beside Rank-1 and mAP are the numbers of reliable images, and
    how much the clusters agree with those of the round before, and with the people. Features have length 1, and queries
    are single, whatever `evaluation` says.
    """
    from pipelines.commands import rounds as command

    command.run(model, out, section(params.reid, network, "reid").mirror, params.device, params.threads)


@click.command()
@click.argument("path", type=ANY)
@click.pass_context
def check(context: click.Context, path: Path) -> None:
    """List everything that is wrong with a data set in Market-1501's layout, from here or elsewhere.

    PATH is a folder or a zip. The command fails if other libraries would misread the set.
    """
    from pipelines.commands import check as command

    with one_line_errors(context):
        command.run(path)


@click.command()
@with_params
def doctor(params: Params) -> None:
    """Say what this machine has, and lacks, for the parameters, and what to do about it.

    Exits with 1 where the stages cannot run.
    """
    from pipelines.commands import doctor as command

    command.run(params)


MEASURING = (
    compare,
    attention,
    factors,
    invented,
    curve,
    gains,
    swept,
    costs,
    rounds,
    study,
    check,
    doctor,
)
