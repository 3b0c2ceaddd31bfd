"""Stages that are killed, interrupted, or out of disk, at moments that are drawn: `make torture`, docs/reliability.md.

    python tests/torture.py [--moments N] [--seed S] [STAGE ...]

For each stage, on a handful of people: it is run with another seed, which leaves what it will replace; then
undisturbed; then, from the same state before, once for each of N moments and each of FAULTS. Just before something
happens to a file it is killed (SIGKILL, SIGTERM, SIGINT), or the disk is full from then on; or no file may be larger
than so many bytes. After that every file that was there is whole, as it was or as it is to be; no output folder holds
some of both; and what is left makes a second run end with the same bytes as the undisturbed one. (GOES_FIRST may be
missing before that; and a second export may say that the first is there, if it is whole.) At last two of each stage are
started at once. Exits with 1 where any of it does not hold.

An error is expected to end a command with one line, and 1.
"""

import errno
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
import zipfile
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

import click
from commands import write_params
from conftest import ROOT, tiny_members
from killing import EVENTS

from reid.common.atomic import OLD

STAGES = {
    "prepare": ("prepare",),
    "estimate-poses": ("estimate-poses",),
    "pair": ("pair",),
    "train-gan": ("train-gan", "full"),
    "augment": ("augment", "full", "--alpha", "2"),
    "train-reid": ("train-reid", "ide", "--train", "data/augmented/full-a2", "--out", "data/reid/full-a2-ide-s0"),
    "evaluate": (
        "evaluate", "ide", "--train", "data/augmented/full-a2", "--model", "data/reid/full-a2-ide-s0",
        "--out", "data/scores/full-a2-ide-s0.json",
    ),
    "export": ("export", "full", "--alpha", "2", "--out", "data/export/full.zip"),
}  # fmt: skip
# Folders of several files that are replaced as one.
WHOLE = (
    "data/samples", "data/poses", "data/pairs", "data/gan/full", "data/augmented/full-a2", "data/reid/full-a2-ide-s0",
)  # fmt: skip
# What is deleted before the rest of a stage's output is replaced, and written after it; and what it must fit to.
GOES_FIRST = {
    "prepare": ("data/augmented/real-a1/train.parquet", "data/samples/"),
    "evaluate": ("data/scores/full-a2-ide-s0.json", "data/scores/full-a2-ide-s0."),
}
FAULTS = ("SIGKILL", "SIGTERM", "SIGINT", "full disk", "no room")
LARGEST = 300_000  # bytes of the largest file that there may be room for
Tree = dict[str, str]


def tree(folder: Path) -> Tree:
    """Digest of each file that is a result: what is scratch or half-written is left out.

    A folder that was killed while it was being replaced is where the next writer finds it: see `reid.common.atomic`.
    """
    files = (path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in files}
    for name in list(names):
        place = name.replace(f".partial/{OLD}/", "/")
        if place != name and not (folder / place).parent.exists():
            names[place] = names[name]
    kept = {name: path for name, path in names.items() if ".scratch/" not in name and ".partial/" not in name}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in kept.items()}


def child(work: Callable[[], object]) -> int:
    """What a process that does the work ends with; negative for a signal, 2 for a traceback."""
    sys.stdout.flush()
    if (pid := os.fork()) == 0:
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        try:
            work()
        except SystemExit as end:
            os._exit(int(end.code or 0))
        except KeyboardInterrupt:
            os._exit(130)
        except BaseException:
            traceback.print_exc()
            os._exit(2)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def disturbed(words: tuple[str, ...], fault: str, moment: int) -> Callable[[], None]:
    """Run a command, to which something happens at a moment: just before so many events of files below this folder."""

    def work() -> None:
        here, seen = str(Path.cwd()), 0

        def happens(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal seen
            if event not in EVENTS or not any(here in os.path.abspath(str(one)) for one in arguments[:2]):
                return
            if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & os.O_ACCMODE != os.O_RDONLY):
                return
            seen += 1
            if fault == "full disk" and seen >= moment and event in ("open", "os.mkdir"):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[0]))
            if seen == moment and fault.startswith("SIG"):
                os.kill(os.getpid(), getattr(signal, fault))

        if fault == "no room":  # for a file of more than so many bytes, in the middle of writing it
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST // moment,) * 2)
        sys.addaudithook(happens)
        try:
            run(words)
        finally:
            if not moment:
                Path(".scratch/moments").write_text(str(seen))

    return work


def run(words: tuple[str, ...]) -> None:
    from pipelines.__main__ import main

    main(list(words))


def faults_of(stage: str, state: Tree, before: Tree, whole: Tree) -> list[str]:
    """What is wrong with the files after something happened in a stage."""
    first, companions = GOES_FIRST.get(stage, ("", ""))
    lost = before.keys() & whole.keys() - state.keys() - {first}
    wrong = [f"{name} is lost" for name in sorted(lost)]
    wrong += [f"{name} is half-written" for name in state if state[name] not in (before.get(name), whole.get(name))]
    for folder in WHOLE:
        own = {name: digest for name, digest in state.items() if name.startswith(folder + "/")}
        kinds = [{n: d for n, d in of.items() if n.startswith(folder + "/")} for of in (before, whole)]
        if own and own not in kinds:
            wrong.append(f"{folder} is a mixture")
    if first in state:
        kinds = [
            {n: d for n, d in of.items() if n == first or n.startswith(companions)} for of in (state, before, whole)
        ]
        wrong += [f"{first} stands beside files of another run"] if kinds[0] not in kinds[1:] else []
    return wrong


def main(moments: int, seed: int, stages: tuple[str, ...]) -> None:
    wrong, tried, drawn = list[str](), 0, random.Random(seed)
    work = Path(tempfile.mkdtemp(prefix="torture-"))
    base = work / "base"
    (base / "data/raw").mkdir(parents=True)
    os.chdir(base)
    with zipfile.ZipFile("data/raw/tiny.zip", "w") as archive:
        for name, data in tiny_members().items():
            archive.writestr(name, data)
    for stage, words in STAGES.items():
        import_module(f"pipelines.stages.{stage.replace('-', '_')}")  # once for all children
        for seed_of_it in (1, 0):
            write_params(
                lambda params, own=seed_of_it: params.update(seed=own) or params["pose"].update(estimator="truth")
            )
            if seed_of_it and stage != "export" and child(partial(run, words)):  # which overwrites nothing
                sys.exit(f"{stage}: does not end well with another seed")
        shutil.rmtree(".scratch", ignore_errors=True)
        before = tree(base)
        undisturbed = shutil.copytree(base, work / "whole")
        os.chdir(undisturbed)
        Path(".scratch").mkdir(exist_ok=True)
        if child(disturbed(words, "", 0)):
            sys.exit(f"{stage}: does not end well undisturbed")
        count, whole = int(Path(".scratch/moments").read_text()), tree(undisturbed)
        Path(".scratch/moments").unlink()
        if not stages or stage in stages:
            cases = [(fault, drawn.randint(1, count)) for fault in FAULTS for _ in range(moments)]
            for fault, moment in cases:
                os.chdir(shutil.copytree(base, work / "copy"))
                code = child(disturbed(words, fault, moment))
                found = faults_of(stage, tree(Path()), before, whole)
                if code == 2 or (fault in FAULTS[3:] and code not in (0, 1)):
                    found.append(f"ended with {code}")
                again = child(partial(run, words))
                if again and not (stage == "export" and again == 1 and tree(Path()) == whole):
                    found.append(f"the second run ended with {again}")
                elif tree(Path()) != whole:
                    found.append("the second run made other files")
                wrong += [f"{stage}, {fault} at {moment} of {count}: {one}" for one in found]
                tried += 1
                os.chdir(work)
                shutil.rmtree(work / "copy")
            wrong += [f"{stage}, two at once: {one}" for one in two_at_once(base, work / "copy", words, whole)]
        print(f"{stage}: {count} moments; {tried} cases so far, {len(wrong)} wrong", flush=True)
        os.chdir(work)
        shutil.rmtree(base)
        (work / "whole").rename(base)
        os.chdir(base)
    os.chdir(work.parent)
    shutil.rmtree(work)
    print("\n".join(wrong))
    sys.exit(bool(wrong))


def two_at_once(base: Path, copy: Path, words: tuple[str, ...], whole: Tree) -> list[str]:
    """What is wrong after two processes did a stage at the same time."""
    os.chdir(shutil.copytree(base, copy))
    command = [sys.executable, "-P", "-m", "pipelines", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [subprocess.Popen(command, stdout=-3, stderr=subprocess.PIPE, text=True, env=environment) for _ in range(2)]
    said = [process.communicate()[1] for process in both]
    wrong = ["a traceback"] if any("Traceback" in text for text in said) else []
    codes = sorted(process.returncode for process in both)
    wrong += [f"ended with {codes}"] if codes not in ([0, 0], [0, 1]) else []
    wrong += ["other files"] if tree(Path()) != whole else []
    os.chdir(copy.parent)
    shutil.rmtree(copy)
    return wrong


@click.command()
@click.option("--moments", default=5, show_default=True, help="Of each fault and stage.")
@click.option("--seed", default=0, show_default=True)
@click.argument("stages", nargs=-1, type=click.Choice(list(STAGES)))
def command(moments: int, seed: int, stages: tuple[str, ...]) -> None:
    main(moments, seed, stages)


if __name__ == "__main__":
    command()
