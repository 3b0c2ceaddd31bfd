"""Train one person-image generator on the training pairs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from augment import generators, training
from augment.data.people import People
from augment.methods.pose_gan.discriminator import Discriminator
from augment.networks.features import FEATURES
from pipelines import layout, resume
from pipelines.console import stage
from pipelines.params import GanParams
from pipelines.people import read_pairs
from pipelines.runtime import describe, set_up
from reid.files import samples
from reid.files.images import to_float, to_uint8
from reid.pictures.sheets import sheet
from reid.randomness.seeds import seed_for


def run(name: str, gan: GanParams, seed: int, device_name: str, threads: int, size: tuple[int, int]) -> None:
    """Write `data/gan/NAME/`: `generator.pt`, `config.json`, `losses.tsv`, `sheet.png` and `samples/`.

    While it trains, its state and the sheets so far lie in the scratch folder that the first line names.
    """
    device = set_up(device_name, threads)
    real = samples.read(layout.samples("train"))
    settings = {"gan": gan.model_dump(), "seed": seed, "size": size, "threads": threads, "device": device.type}
    inputs = [layout.samples("train"), layout.poses(), layout.pairs("train"), *samples.archives(real)]
    scratch = resume.scratch(f"gan-{name}", settings, inputs)
    does = f"{gan.training.iterations:,} iterations of {gan.generator} on {describe(device, threads)}"
    with stage(f"train-gan {name}", f"{does}; sheets so far: {scratch.folder}/samples") as say:
        drawn = samples.read_parquet(layout.pairs("train")), samples.read_parquet(layout.pairs("shown"))
        people, pairs, _ = read_pairs("train", drawn[0], size, gan.background)
        test_people, test_pairs, _ = read_pairs("gallery", drawn[1], size, gan.background)
        test_people = test_people.to(device)

        torch.manual_seed(seed_for(seed, "initial weights"))
        generator = generators.GENERATORS[gan.generator](size, **gan.shared(), **gan.options).to(device)
        log = training.train(
            generator,
            Discriminator(size, **gan.shared()).to(device),
            FEATURES[gan.features](gan.layer).to(device),
            people.to(device),
            pairs,
            scratch,
            **gan.training.model_dump(),
            convention=gan.convention,
            seed=seed,
            on_samples=lambda averaged, iteration: draw(
                averaged, test_people, test_pairs, scratch.folder / "samples" / f"{iteration:06d}.png", name, iteration
            ),
        )

        folder = layout.gan(name)
        generators.save(generator, gan.generator, {"size": list(size), **gan.shared(), **gan.options}, folder)
        pd.DataFrame(log).to_csv(folder / "losses.tsv", sep="\t", index=False, float_format="%.5g")
        shutil.rmtree(folder / "samples", ignore_errors=True)
        shutil.copytree(scratch.folder / "samples", folder / "samples")
        shutil.copyfile(max((folder / "samples").iterdir()), folder / "sheet.png")
        scratch.remove()
        say(f"reconstruction loss {log[0]['reconstruction']:.4g} -> {log[-1]['reconstruction']:.4g}")
        say(str(folder / "sheet.png"))


def draw(generator: generators.Generator, people: People, pairs: Tensor, path: Path, name: str, iteration: int) -> None:
    """A sheet of people that the generator has not seen: in another of their own poses, and in another person's."""
    swapped = torch.stack([pairs[:, 0], pairs[:, 1].roll(len(pairs) // 2)], 1)
    rows = []
    for kind, drawn in (("", pairs), (" of another person", swapped)):
        batch = people.batch(drawn[:, 0], drawn[:, 1], with_target=False)
        with torch.no_grad():
            generated = generator.generate(batch)
        shown = {"source": batch.source[:, 0], f"pose{kind}": to_float(people.images[drawn[:, 1]])}
        shown |= {} if batch.background is None else {"background": batch.background}
        shown |= {"generated": generated}
        for caption, images in shown.items():
            rows.append((caption, list(to_uint8(images).permute(0, 2, 3, 1).cpu().numpy())))
    sheet(rows, path, title=f"{name} after {iteration:,} iterations, on people who are not in the training set")
