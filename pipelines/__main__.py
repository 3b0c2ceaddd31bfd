"""The command line: `python -m pipelines COMMAND`."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click

from pipelines.clashes import clash

if found := clash(Path(__file__).parents[1]):  # before anything is imported from the packages that it is about
    sys.exit(f"Error: {found}")

from pipelines.command_line.measuring import MEASURING
from pipelines.command_line.others import OTHERS
from pipelines.command_line.stages import STAGES
from reid import __version__

HEADINGS = {"Stages": STAGES, "To look and measure": MEASURING, "Other commands": OTHERS}


class Commands(click.Group):
    """A group whose help has the commands under HEADINGS, in the order that they have there."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each heading with its commands below it."""
        for heading, commands in HEADINGS.items():
            with formatter.section(heading):
                formatter.write_dl([(command.name or "", command.get_short_help_str(200)) for command in commands])


@click.group(
    cls=Commands,
    commands=[command for commands in HEADINGS.values() for command in commands],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="reid-augmentation")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Person re-identification with generated training images.

    Settings are read from params.yaml in the current folder. `dvc repro` runs all stages that are out of date, each by
    its command.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # where a terminal or a log cannot show all characters


if __name__ == "__main__":
    main(prog_name="python -m pipelines")
