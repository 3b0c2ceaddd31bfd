"""Rendering many images: in parallel, resumable, with the same bytes for any number of processes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from pathlib import Path, PurePosixPath

from augment.streets.body import ASSET
from augment.streets.collection import TRUTH, View, plan
from augment.streets.world import World
from reid.common import atomic
from reid.common.code import code_digest
from reid.common.digests import digest
from reid.common.errors import InputError
from reid.common.locks import claim
from reid.common.progress import progress
from reid.common.saved import load_json, save_json
from reid.common.workers import workers
from reid.files.images import write_folder, write_zip, zip_members


def render(identities: int, seed: int, out: Path, processes: int, backgrounds: bool = True) -> int:
    """Render a data set in Market-1501's layout; returns the number of images.

    Beside the images: `truth.json` (for each image the person's number, camera, activity, box in pixels, 18 joints and
    which of them are in the line of sight), `masks/` (1-bit PNG) and `backgrounds/` (the image without the person).
    An interrupted run goes on with the people that are missing.

    Args:
        identities: people of the training and test set together; distractors come on top.
        seed: of everything that is random.
        out: a folder or a `.zip` to write; it appears when everything is rendered.
        processes: that render at once, in one thread each; the result is the same for any number.
        backgrounds: whether to write `backgrounds/`; the images are the same without.

    Raises:
        InputError: `out` exists, an unfinished set of other settings is beside it, or another process renders it.
    """
    if seed < 0:
        raise InputError(f"the seed must be 0 or more, got {seed}")
    people = plan(identities, seed)
    atomic.refuse_existing(out)
    parts = out.with_name(out.name + ".parts")
    code = [code_digest([__name__]), digest(ASSET)]
    _check_settings(parts, {"identities": identities, "seed": seed, "backgrounds": backgrounds, "code": code})
    claimed = claim(parts)
    extras = ("truth", "masks", "backgrounds") if backgrounds else ("truth", "masks")
    members = zip_members(shoot(seed, people, parts, processes, extras))
    members = _with_truth(members, {"seed": seed, "identities": identities})
    (write_zip if out.suffix == ".zip" else write_folder)(out, members)
    atomic.remove(parts)
    claimed.release(force=True)
    return sum(len(views) for views in people.values())


def shoot(
    seed: int, people: dict[int, list[View]], parts: Path, processes: int, extras: Iterable[str] = ()
) -> list[Path]:
    """Render all views into one zip for each person, in the folder `parts`; zips that are there already are kept.

    Args:
        seed: of the world and the people.
        people: the views of each person, by the person's number.
        parts: folder, made where it does not exist.
        processes: that render at once.
        extras: what to write beside the images: `truth`, `masks`, `backgrounds`.

    Returns:
        the zips, in the order of `people`.
    """
    parts.mkdir(parents=True, exist_ok=True)
    files = {number: parts / f"{number}.zip" for number in people}
    missing = [number for number in people if not files[number].exists()]
    jobs = [(seed, people[number], files[number], tuple(extras)) for number in missing]
    done = len(people) - len(missing)
    for _ in progress(_run(jobs, processes), f"render {len(people)} people", "person", len(people), done):
        pass
    return list(files.values())


def collect(parts: list[Path], out: Path) -> None:
    """Write the files of all parts to one zip."""
    write_zip(out, zip_members(parts))


def take(world: World, views: list[View], extras: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Render views to files (name, bytes): images, the extras (see `shoot`), and last their part of `truth.json`."""
    records = []
    for view in views:
        shot = world.shoot(view.person, view.camera, view.moment, view.bad_box)
        stem = PurePosixPath(view.file).stem
        yield view.file, shot.image
        if "masks" in extras:
            yield f"masks/{stem}.png", shot.mask
        if "backgrounds" in extras:
            yield f"backgrounds/{stem}.jpg", shot.background
        records.append({"image": view.file, "person": view.person, "camera": view.camera, **shot.truth})
    if "truth" in extras:
        yield TRUTH, json.dumps(records).encode()


def _check_settings(parts: Path, settings: dict[str, object]) -> None:
    """Record the settings that the parts are rendered with; raises InputError where they were begun with others."""
    file = parts / "settings.json"
    if not parts.exists():
        with atomic.replacing(parts) as new:
            save_json(settings, new / file.name)
    recorded = load_json(file, (), f"remove {parts}") if file.exists() else {}
    if recorded != settings:
        others = [
            f"{key} {recorded.get(key)} and not {value}"
            for key, value in settings.items()
            if key != "code" and recorded.get(key) != value
        ]
        what = f"with {', '.join(others)}" if others else "of another version of the renderer"
        raise InputError(f"{parts} holds an unfinished set {what}; go on with that one, or remove it")


@cache
def _world(seed: int) -> World:
    return World(seed)


def _job(seed: int, views: list[View], part: Path, extras: tuple[str, ...]) -> None:
    write_zip(part, take(_world(seed), views, extras))


def _run(jobs: list[tuple[int, list[View], Path, tuple[str, ...]]], processes: int) -> Iterator[None]:
    with workers(processes) as pool:
        waiting = [pool.submit(_job, *job) for job in jobs]
        try:
            for job in as_completed(waiting):
                yield job.result()
        except BrokenProcessPool as error:
            raise InputError(
                f"a rendering process died, perhaps for want of memory ({error}); what is finished is kept: run the "
                f"same command again, with fewer than {processes} processes"
            ) from error


def _with_truth(members: Iterator[tuple[str, bytes]], head: dict[str, object]) -> Iterator[tuple[str, bytes]]:
    """The members, with all parts of `truth.json` joined into one file at the end, one line for each image."""
    records = []
    for name, data in members:
        if name == TRUTH:
            records += json.loads(data)
        else:
            yield name, data
    lines = ",\n".join(json.dumps(record, separators=(",", ":")) for record in records)
    yield TRUTH, f'{json.dumps(head)[:-1]}, "images": [\n{lines}\n]}}\n'.encode()
