"""Dying by SIGKILL at a chosen moment, rather than at some time or other.

Python announces what it does with files as audit events, just before it does it. Forks, so it is for processes without
threads: pytest's has some.

    python tests/killing.py FOLDER RESULT EVENT,COUNT,PART;EVENT,COUNT,PART;... WORD ...

runs the project's stage WORD ... without killing it, moves RESULT's folder to FOLDER/whole, and forgets all states.
Then it runs the stage once for each moment, kills it just before the COUNT-th EVENT of a file or folder whose path has
PART in it, and keeps what there is of RESULT and of the saved state, in FOLDER/0 and so on. At last it runs the stage
until it ends.
"""

import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Collection
from importlib import import_module
from pathlib import Path

EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree")  # os.rename is os.replace, too


def killed(work: Callable[[], object], events: Collection[str], count: int, part: str) -> bool:
    """Whether a process that does the work was killed just before the `count`-th event of a path with `part` in it."""
    if (child := os.fork()) == 0:
        _die_at(events, count, part)
        try:
            work()
        except SystemExit as end:
            os._exit(int(end.code or 0))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code not in (0, -signal.SIGKILL):
        sys.exit(f"ended with {code}")
    return code != 0


def _die_at(events: Collection[str], count: int, part: str) -> None:
    seen = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event in events and any(part in str(argument) for argument in arguments):
            seen += 1
            if seen == count:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


if __name__ == "__main__":
    from pipelines.__main__ import main

    kept, result, moments, *words = sys.argv[1:]
    import_module(f"pipelines.stages.{words[0].replace('-', '_')}")  # once for all
    import_module("torch._dynamo")  # which the first optimiser imports
    killed(lambda: main(words), (), 1, "")
    shutil.move(Path(result).parent, Path(kept, "whole"))
    shutil.rmtree(".scratch")
    for number, moment in enumerate(moments.split(";")):
        event, count, part = moment.split(",")
        if not killed(lambda: main(words), [event], int(count), part):
            sys.exit(f"{moment}: the command ended before that")
        after = Path(kept, str(number))
        after.mkdir(parents=True)
        for file in (*Path().glob(".scratch/*/state.pt"), *Path().glob(result)):
            shutil.copy(file, after)
    killed(lambda: main(words), (), 1, "")
