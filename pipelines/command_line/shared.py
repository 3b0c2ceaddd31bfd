"""What the commands share: parameters, errors, kinds of arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.console import plain
from pipelines.following import follow_dvc
from reid.common.errors import InputError

if TYPE_CHECKING:
    from pipelines.params import Params
    from pipelines.scoring import Searcher

# What bad input raises; anything else is a fault of the program and keeps its traceback.
USER_ERRORS = (InputError, OSError, FloatingPointError)
# How torch says that memory is lacking, in a RuntimeError: on the CPU, and on a GPU.
LACK = ("can't allocate memory", "Cannot allocate memory", "not enough memory", "out of memory", "_ALLOC_FAILED")
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
ANY = click.Path(path_type=Path)


class OneOf(click.ParamType[str]):
    """One of some names. They are asked for by calling `names` only when needed, as they may take long to import."""

    name = "name"

    def __init__(self, names: Callable[[], Sequence[str]]):
        self.names = names

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        """The names, as the help shows them."""
        return click.Choice(self.names()).get_metavar(param, ctx)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The value, if it is one of the names."""
        return click.Choice(self.names()).convert(value, param, ctx)


def with_params(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the parameters as its first argument, and turn bad input into one line instead of a traceback."""

    @wraps(command)
    @click.pass_context
    def run(context: click.Context, *arguments: Any, **options: Any) -> None:
        with one_line_errors(context):
            from pipelines import params  # here, because it imports torch, which rendering processes do not need

            command(params.load(), *arguments, **options)

    return run


@contextmanager
def one_line_errors(context: click.Context) -> Iterator[None]:
    """Turn bad input into one line instead of a traceback; a stage ends with the `dvc` that runs it."""
    follow_dvc()
    try:
        yield
    except (*USER_ERRORS, MemoryError, RuntimeError) as error:
        short = _short_of_memory(error)
        if context.find_root().params["debug"] or not (short or isinstance(error, USER_ERRORS)):
            raise
        raise click.ClickException(plain(short or str(error))) from error


def _short_of_memory(error: Exception) -> str | None:
    """What to say of an error that says that memory is lacking, Python's, torch's or that of a GPU; None of others."""
    said = str(error).partition("\n")[0]
    if not isinstance(error, MemoryError) and not any(words in said for words in LACK):
        return None
    return (
        f"there is not enough memory ({said or 'none is left'}): set a smaller batch_size, image_size or part of the "
        "training set in params.yaml, or end other programs, and run again; what was saved is kept"
    )


def section(sections: dict[str, Any], name: str, kind: str) -> Any:
    """The section of a name; raises BadParameter, which lists the names that there are, where it is none of these."""
    if name not in sections:
        raise click.BadParameter(f"params.yaml has no section {kind}.{name}; there are {', '.join(sections)}")
    return sections[name]


def needs_queries(params: Params) -> None:
    """Raise InputError for a data set without queries and cameras, with which Re-ID is not possible."""
    from reid.datasets import WITHOUT_QUERIES

    if params.dataset.name in WITHOUT_QUERIES:
        raise InputError(
            f"dataset.name is {params.dataset.name}, which has no cameras and no queries: it is for training "
            "and testing generators. Run `dvc repro train_gan`, or set `dataset` to a Re-ID data set"
        )


def searcher(params: Params) -> Searcher:
    """The Re-ID network of the real training images that judges generated ones: `scores.identity` in params.yaml."""
    from pipelines import layout
    from pipelines.scoring import Searcher

    identity = params.scores.identity
    return Searcher(layout.reid(layout.REAL, identity, params.seeds[0]), params.reid[identity].mirror)
