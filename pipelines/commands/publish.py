"""Keep a trained generator where others start from it: half precision, with a model card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

from augment import methods
from augment.methods.storage import CONFIG, REMEDY, WEIGHTS
from pipelines import layout
from pipelines.console import stage
from reid.common import atomic
from reid.common.digests import digest
from reid.common.errors import InputError
from reid.common.saved import load_json, load_tensors, save_json, save_tensors

CARD, SHEET = "README.md", "sheet.jpg"
MOST = 10 * 2**20  # bytes of weights that git should hold
RESCORE = "run score-gan again"
SCORES = ("ssim", "is", "ds", "l1", "fd", "identity_rank1", "identity_mAP")  # of the card, with those of real images
TEXT = """# {name}: a trained generator of people

`{method}` at {height}x{width}, weights in half precision. It redraws a person in the pose of another image:

    python -m pipelines generate --gan {folder} --image A.jpg --pose B.jpg --out new.png

and trainings start from it with `initial: {folder}` in a section of `gan` in params.yaml, whose `options` that shape
the networks have to be those of `config.json`.

![People who are in no training set, redrawn in other poses](sheet.jpg)

## How it was trained

{note}

Each training started from the weights of the one before.

| | {heads} |
|:--|{rules}
{trainings}

## What it draws

Scores of {pairs} pairs of test people of `{data}`, by `score-gan`, of the weights before they were stored in half
precision; `real` are the true images of these people in these poses.

| images | {score_heads} |
|:--|{score_rules}
{scores}

IS and FD by {classifier}, DS by {detector}; lower is better for L1 and FD.

## Terms

{licence}. SHA-256 of `weights.pt`: `{sha256}`.
"""


def run(name: str, out: Path, note: str, licence: str) -> None:
    """Write to the folder `out` the generator `data/gan/NAME` in half precision, with a model card.

    A generator that was published there before is replaced, whole.

    Raises:
        FileNotFoundError: the generator is not trained, or not scored.
        InputError: a file of these is damaged, the scores are not those of these weights, or were measured in another
            way than those of the real images, or `out` holds something else.
    """
    folder = layout.gan(name)
    scores = {kind: layout.gan_score(kind) for kind in (layout.REAL, name)}
    for file in (folder / CONFIG, folder / WEIGHTS, folder / "sheet.png", *scores.values()):
        if not file.exists():
            raise FileNotFoundError(f"{file} does not exist: run `dvc repro score_gan`, or train-gan and score-gan")
    if out.exists() and any(file.name not in (CONFIG, WEIGHTS, CARD, SHEET) for file in out.iterdir()):
        raise InputError(f"{out} holds other files than a published generator's; choose another --out")
    with stage("publish", f"{folder} to {out}") as say:
        methods.load(folder)  # or says what is wrong with it
        config = load_json(folder / CONFIG, ("method", "size", "options", "trainings"), REMEDY)
        state = load_tensors(folder / WEIGHTS, REMEDY)
        halves = {
            network: {key: value.half() if value.is_floating_point() else value for key, value in tensors.items()}
            for network, tensors in state.items()
        }
        if not all(value.isfinite().all() for tensors in halves.values() for value in tensors.values()):
            raise InputError(f"{folder / WEIGHTS}: weights beyond 65,504 cannot be stored in half precision")
        measured = {
            kind: load_json(file, ("scores", "definitions", "data", "pairs"), RESCORE) for kind, file in scores.items()
        }
        if measured[name].get("weights_sha256") != digest(folder / WEIGHTS):
            raise InputError(f"{scores[name]} has the scores of other weights than {folder / WEIGHTS}; {RESCORE}")
        if any(measured[name][key] != measured[layout.REAL][key] for key in ("definitions", "data")):
            raise InputError(f"{scores[name]} and {scores[layout.REAL]} were not measured alike; {RESCORE}")
        complete = out.with_name(f"{out.name}.new")
        if complete.exists():  # of a run that was interrupted at the very end
            atomic.remove(complete)
        with atomic.replacing(complete) as new:
            new.mkdir()
            save_json(config, new / CONFIG)
            save_tensors(halves, new / WEIGHTS)
            size = (new / WEIGHTS).stat().st_size
            with Image.open(folder / "sheet.png") as sheet:
                sheet.convert("RGB").save(new / SHEET, quality=88)
            texts = {"note": note, "licence": licence, "sha256": digest(new / WEIGHTS)}
            card = _card(name, out, config, measured, texts)
            atomic.write(new / CARD, card)
        if out.exists():
            atomic.remove(out)
        complete.rename(out)
        say(f"{size / 2**20:.1f} MiB{': too much for git' if size > MOST else ''}: {out}")


def _card(
    name: str, out: Path, config: dict[str, Any], measured: dict[str, dict[str, Any]], texts: dict[str, str]
) -> str:
    """The model card as Markdown."""
    own = measured[name]
    named = [score for score in SCORES if all(score in of["scores"] for of in measured.values())]
    lines = [[kind, *(f"{of['scores'][score]:.3f}" for score in named)] for kind, of in measured.items()]
    trainings = [
        {key: value for key, value in training.items() if not isinstance(value, dict)}
        | {f"poses: {key}": value for key, value in training.get("poses", {}).items()}
        | training["options"]
        | training["training"]
        for training in config["trainings"]
    ]
    keys = list(dict.fromkeys(key for training in trainings for key in training))
    rows = [[key, *(_shown(training.get(key)) for training in trainings)] for key in keys]
    height, width = config["size"]
    return TEXT.format(
        name=name,
        method=config["method"],
        height=height,
        width=width,
        folder=out.as_posix(),
        heads=" | ".join(f"training {number}" for number in range(1, len(trainings) + 1)),
        rules=":--|" * len(trainings),
        trainings="\n".join(f"| {' | '.join(row)} |" for row in rows),
        pairs=own["pairs"],
        data=", ".join(own["data"]),
        score_heads=" | ".join(named),
        score_rules="--:|" * len(named),
        scores="\n".join(f"| {' | '.join(line)} |" for line in lines),
        classifier=own["definitions"]["classifier"],
        detector=own["definitions"]["detector"],
        **texts,
    )


def _shown(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value)
