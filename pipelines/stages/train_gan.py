"""Train one generator: a method on the training pairs."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from augment import methods, training
from augment.data.people import People
from augment.data.tuples import Tuples
from augment.methods import METHODS, Method
from augment.poses import bank
from augment.poses.doubts import doubts
from pipelines import layout, resume
from pipelines.console import stage
from pipelines.params import GanParams
from pipelines.people import places, read_pairs, tuples_of_pairs, usable_pairs
from pipelines.runtime import Threads, describe, set_up
from reid.common.digests import digest
from reid.files import samples
from reid.files.images import pictures, to_float
from reid.pictures.sheets import sheet
from reid.randomness.seeds import seed_for

MAY_HOLD = ("weights.pt", "config.json", "losses.tsv", "sheet.png", "samples")  # a generator's folder


def run(name: str, gan: GanParams, seed: int, device_name: str, threads: Threads, size: tuple[int, int]) -> None:
    """Write `data/gan/NAME/`: `weights.pt`, `config.json`, `losses.tsv`, `sheet.png` and `samples/`.

    With `keep`, samples/ITERATION/ has the generator as it was at each sheet, and the minutes that it took.

    While it trains, its state and the sheets so far are in the scratch folder that the stage's first line names.

    Raises:
        InputError: the method can use none of the pairs.
    """
    device = set_up(device_name, threads)
    real = samples.read(layout.samples("train"))
    trained = gan.training | {"precision": training.precision_of(gan.training["precision"], device)}
    settings = {
        "gan": gan.model_dump(exclude={"keep"}) | {"training": trained},
        "seed": seed,
        "size": size,
        "threads": threads,
    }
    settings |= {"device": device.type}
    inputs = [layout.samples("train"), layout.poses(), layout.pairs("train"), *samples.archives(real)]
    if gan.initial is not None:
        inputs += methods.storage.files(gan.initial, "no weights to start from")
    guider_weights = (gan.options.get("guider_options") or {}).get("weights")
    if guider_weights and Path(guider_weights).exists():  # if not, making the guider raises an error that says so
        inputs.append(Path(guider_weights))
    if gan.poses is not None:
        inputs.append(bank.present(Path(gan.poses.file)))
    scratch = resume.scratch(f"gan-{name}", settings, inputs, __name__, [METHODS[gan.method]])
    exactly = {**settings, "gan": gan.model_dump()}
    does = f"{gan.method} on {describe(device)}; sheets so far: {scratch.folder}/samples"
    with (
        stage(f"train-gan {name}", does) as say,
        resume.output(scratch, layout.gan(name), MAY_HOLD, exactly, say) as folder,
    ):
        if folder is None:
            return
        torch.manual_seed(seed_for(seed, "initial weights"))
        method = METHODS[gan.method](size=size, **gan.options)
        trainings = [] if gan.initial is None else methods.start_from(method, gan.options, gan.initial)
        pairs = samples.read_parquet(layout.pairs("train"))
        people, table = read_pairs("train", pairs, size, method.needs)
        if gan.poses is not None:
            found = bank.read(Path(gan.poses.file), size, method.usable_target, gan.poses.size)
            people = replace(people, bank=found.poses)
            say(f"{len(found.names):,} usable poses in {gan.poses.file}")
            for doubt in doubts(found.poses, [size] * len(found.names)):
                say(f"{gan.poses.file}: {doubt}")
        kept = usable_pairs(method, pairs, people, table, name)
        if method.needs.background and people.backgrounds is None:
            say("the data set has no backgrounds: grey takes their place")
        if len(kept) < len(pairs):
            say(f"{len(pairs) - len(kept):,} of {len(pairs):,} pairs left out: poses that {gan.method} cannot use")

        shown = samples.read_parquet(layout.pairs("shown"))
        test_people, test_table = read_pairs("gallery", shown, size, method.needs)
        shown = usable_pairs(method, shown, test_people, test_table, name)
        tuples = tuples_of_pairs(method, shown, test_people, test_table, seed)
        test_people = test_people.to(device)

        def draw_samples(averaged: Method, iteration: int, minutes: float) -> None:
            path = scratch.folder / "samples" / f"{iteration:06d}.png"
            draw(averaged, test_people, tuples, path, f"{name} after {iteration:,} iterations")
            if gan.keep:
                so_far = {"iterations": iteration, "minutes": round(minutes, 3), "device": describe(device)}
                folder = path.with_suffix("")
                methods.save(averaged, gan.method, gan.options, folder, [so_far], method.inference)

        log = training.train(
            method,
            people.to(device),
            places(kept, table),
            scratch,
            **trained,
            started=gan.initial is not None,
            seed=seed,
            on_samples=draw_samples,
        )

        data = [path.as_posix() for path in samples.archives(real)]
        own = {"data": data, "pairs": len(kept), "seed": seed, "device": describe(device), "initial": gan.initial}
        if gan.poses is not None:
            own["poses"] = gan.poses.model_dump() | {"sha256": digest(Path(gan.poses.file))}
        trainings.append(own | {"options": gan.options, "training": trained})
        methods.save(method, gan.method, gan.options, folder, trainings)
        samples.write_tsv(pd.DataFrame(log), folder / "losses.tsv", "%.5g")
        shutil.copytree(scratch.folder / "samples", folder / "samples")
        last = max((folder / "samples").glob("*.png"), key=lambda path: int(path.stem))
        shutil.copyfile(last, folder / "sheet.png")
        say(_learnt(log))
        say(str(layout.gan(name) / "sheet.png"))


def draw(method: Method, people: People, tuples: Tuples, path: Path, title: str) -> None:
    """Draw a sheet of people whom the method was not trained on, in another pose of their own and in another person's.

    Args:
        method: that draws them.
        people: images and poses.
        tuples: of sources and targets among these.
        path: PNG to write.
        title: of the sheet.
    """
    others = tuples.targets.roll(len(tuples.targets) // 2)
    lines = []
    for kind, drawn in (("", tuples), (" of another person", tuples._replace(targets=others))):
        batch = people.batch(drawn, with_target=False)
        with torch.no_grad():
            generated = method.generate(batch)
        valid = batch.valid()[..., None, None, None]
        sources = torch.where(valid, batch.source, 0.0).unbind(1)  # grey where a person has no further one
        shown = {f"source {number}" if number > 1 else "source": image for number, image in enumerate(sources, 1)}
        shown |= {f"pose{kind}": to_float(people.images[drawn.targets])}
        shown |= {} if batch.background is None else {"background": batch.background}
        shown |= {"generated": generated}
        for caption, images in shown.items():
            lines.append((caption, pictures(images)))
    sheet(lines, path, title=f"{title}, on people who are not in the training set")


def _learnt(log: list[dict[str, Any]]) -> str:
    """The losses at the beginning and the end of each phase, as one line."""
    parts = []
    for phase in dict.fromkeys(entry["phase"] for entry in log):
        own = [entry for entry in log if entry["phase"] == phase]
        first, last = own[0], own[-1]
        names = [name for name in first if name not in ("phase", "iteration")]
        losses = ", ".join(f"{name} {first[name]:.4g} -> {last[name]:.4g}" for name in names)
        parts.append(f"{phase}, {last['iteration']:,} iterations: {losses}")
    return "; ".join(parts)
