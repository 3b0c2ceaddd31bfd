"""Sheets of pictures: those that the stages before drew, and rank lists of all training sets and networks together."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from pipelines import layout
from pipelines.params import Params
from pipelines.report.page import Illustration
from pipelines.report.results import Results
from reid.files import samples
from reid.files.images import Archive
from reid.pictures import rank_lists


def collect(params: Params, results: Results, folder: Path) -> dict[str, list[Illustration]]:
    """Copy or draw all sheets into a folder of the report, so that the report can be moved: heading -> sheets.

    Raises:
        FileNotFoundError: a stage has not drawn its sheet.
    """
    sections = {
        "Data": _data(params),
        **{f"Generator {name}": _generator(name) for name in params.trained},
        **{
            f"Training set {layout.row_name(name, min(params.alphas))}": _training_set(params, name)
            for name in params.augmentations
        },
    }
    copied = {heading: [_copy(sheet, folder) for sheet in sheets] for heading, sheets in sections.items()}
    return {**copied, "Rank lists": _rank_lists(results, folder)}


def curves(params: Params, folder: Path) -> list[Illustration]:
    """Copy the figures of generators that were scored with noise on poses, or by number of sources, into a folder."""
    noise = "Scores of the images that a generator draws from source poses with noise on the arms and legs (Fig. 11)."
    sources = "Scores of the images that a generator draws, by number of sources: mean and range over choices of them."
    figures = [
        *((f"{name}, noise on the source pose", noise, layout.gan_noise(name)) for name in params.noise),
        *((f"{name}, by number of sources", sources, layout.gan_sources(name)) for name in params.sources),
    ]
    return [_copy(Illustration(title, text, path.with_suffix(".png")), folder) for title, text, path in figures]


def _data(params: Params) -> list[Illustration]:
    return [
        Illustration(
            "Images",
            "Some people of the training set in order of camera; then queries and, where there are any, distractors "
            "(people whom no query shows) and junk (bad crops, which the protocol ignores).",
            layout.SAMPLES / "sheet.png",
        ),
        Illustration(
            "Poses",
            f"The joints that {params.pose.estimator} finds, in some images. Pairs for generators are made of images "
            "that show both shoulders and both hips.",
            layout.POSES / "skeletons.png",
        ),
    ]


def _generator(name: str) -> list[Illustration]:
    scores = layout.gan_score(name)
    return [
        Illustration(
            "At the end of training",
            "People who are not in the training set: a source image, the image whose pose is wanted, and what the "
            "generator makes of them; first in other poses of the same person, then in another person's.",
            layout.GAN / name / "sheet.png",
        ),
        Illustration(
            "Scored images",
            "Some of the test pairs behind the table of scores: a generated image should look like its target.",
            scores.with_suffix(".png"),
        ),
        Illustration(
            "Nearest real images",
            "The real images that a Re-ID network, trained on real images, ranks first for a generated one. Green: the "
            "source's person, red: somebody else, grey: left out of the ranking.",
            layout.gan_ranks(name),
        ),
    ]


def _training_set(params: Params, name: str) -> list[Illustration]:
    """Sheets of the smallest training set that a generator or rendering enlarges."""
    alpha, seed = min(params.alphas), params.seeds[0]
    row = layout.row_name(name, alpha)
    if name in params.renderings:
        text = "Some of the rendered images that are added to the real ones."
    elif name in params.virtual:
        added = params.virtual_people[name].added
        text = f"People who do not exist, {'added to the real ones' if added else 'who alone are the training set'}."
    else:
        text = f"Training people, redrawn by {name} in the poses of others. Each image has the identity of its source."
    images = Illustration("Images", text, layout.augmented(name, alpha) / "sheet.png")
    maps = [
        Illustration(
            f"Features of {network}",
            f"t-SNE of {network}'s features of some training people's images, after training on this set with seed "
            f"{seed}. Dots are real, crosses are generated images. A cross far from the dots of its colour suggests an "
            "image that the network does not take for that person. Distances between groups mean nothing.",
            layout.score(row, network, seed).with_suffix(".png"),
        )
        for network in params.networks
    ]
    return [images, *maps]


def _copy(sheet: Illustration, folder: Path) -> Illustration:
    if not sheet.path.exists():
        raise FileNotFoundError(f"{sheet.path} does not exist, and the report shows it: run `dvc repro`")
    copy = folder / f"{'-'.join(sheet.path.with_suffix('').parts[1:])}.png"
    shutil.copyfile(sheet.path, copy)
    return sheet._replace(path=copy)


def _rank_lists(results: Results, folder: Path) -> list[Illustration]:
    """Draw the rank lists in the score files of the first seed."""
    text = "Green: the same person, red: somebody else, grey: not ranked (junk, or the query's own camera)."
    first = (
        f"The gallery images nearest to {{}} by the Euclidean distance of features, by training set and network. {text}"
    )
    sheets = [
        Illustration("Queries", first.format("some queries"), folder / "rank_lists.png"),
        Illustration(
            "Hardest queries",
            first.format("the queries with the lowest average precision of each training set and network"),
            folder / "hardest.png",
        ),
    ]
    for sheet in sheets:
        by_system = {
            f"{row}, {network}": seeds[0].file[sheet.path.stem]
            for row, networks in results.items()
            for network, seeds in networks.items()
        }
        _draw_rank_lists(by_system, sheet.path)
    return sheets


def _draw_rank_lists(by_system: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Draw the first query of all systems (a training set and a network), then the second of all, and so on.

    Args:
        by_system: name of a system -> its rank lists, `reid.pictures.rank_lists.RankList` as dicts.
        path: of the PNG.
    """
    archive_path = samples.read(layout.samples("query"))["archive"].iloc[0]
    lists = []
    with Archive(archive_path) as archive:
        for number in range(min(len(entries) for entries in by_system.values())):
            for name, entries in by_system.items():
                entry = entries[number]
                gallery = [archive.image(image) for image in entry["gallery"]]
                pictures = list(zip(gallery, entry["kinds"], strict=True))
                lists.append((name, archive.image(entry["query"]), pictures))
    rank_lists.draw(lists, path)
