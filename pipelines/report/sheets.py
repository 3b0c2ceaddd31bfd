"""Sheets of pictures: those that the stages before drew, losses, and rank lists of all training sets and networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from pipelines import layout
from pipelines.params import Params
from pipelines.report import grids, losses, rank_pages
from pipelines.report.page import Illustration
from pipelines.report.results import Results
from reid.common import atomic
from reid.common.errors import InputError
from reid.files import samples
from reid.files.images import Archive
from reid.pictures import rank_lists
from reid.pictures.sheets import shrink

DRAWING = 150_000  # bytes; a PNG of lines and text has fewer, one of photographs more


MOST_LINES = 400  # of a sheet of rank lists: a JPEG has at most 65,500 pixels, and the page has all of them


def collect(
    params: Params, results: Results, of_generators: pd.DataFrame, folder: Path
) -> dict[str, list[Illustration]]:
    """Copy or draw all sheets into a folder of the report, so that the report can be moved: heading -> sheets.

    Args:
        params: the parameters of the run.
        results: of `pipelines.report.results.read_results`.
        of_generators: losses, of `pipelines.report.losses.of_generators`.
        folder: `sheets` in the folder of the report.

    Raises:
        FileNotFoundError: a stage has not drawn its sheet.
    """
    grids_of = {name: grids.read(name) for name in params.trained}
    sections = {
        "Data": _data(params),
        "All generators": _all_generators(grids_of, params, folder),
        **{
            f"Generator {name}": [
                *_generator_grid(name, grid, params, folder),
                *_generator(name),
                *_losses(name, of_generators, folder),
            ]
            for name, grid in grids_of.items()
        },
        **{
            f"Training set {layout.row_name(name, min(params.alphas))}": _training_set(params, name)
            for name in params.augmentations
        },
    }
    copied = {
        heading: [sheet if folder in sheet.path.parents else _copy(sheet, folder) for sheet in sheets]
        for heading, sheets in sections.items()
    }
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


def _all_generators(grids_of: dict[str, pd.DataFrame], params: Params, folder: Path) -> list[Illustration]:
    path = folder / "generators.jpg"
    if not grids_of or not grids.draw_side_by_side(grids_of, params.image_size, path):
        return []
    text = (
        "The same pairs of test images by each generator: a source image, the target, which has the pose that is "
        "wanted, its joints, and what each generator makes of the source."
    )
    return [Illustration("Side by side", text, path)]


def _generator_grid(name: str, grid: pd.DataFrame, params: Params, folder: Path) -> list[Illustration]:
    path = folder / f"{name}-grid.jpg"
    grids.draw_grid(grid, params.image_size, path)
    text = (
        "A test person a line, a pose a column: to the left the source images, above them the images whose poses are "
        "wanted. Down the diagonal the pose is the person's own."
    )
    return [Illustration("People and poses", text, path)]


def _losses(name: str, of_generators: pd.DataFrame, folder: Path) -> list[Illustration]:
    if not (of_generators["generator"] == name).any():
        return []
    path = folder / f"{name}-losses.png"
    losses.draw_generator(of_generators, name, path)
    return [Illustration("Losses", "Means between two entries of the log, against iterations.", path)]


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
    """Copy a stage's sheet: a photograph as JPEG, which is a tenth of the size; a drawing as it is."""
    if not sheet.path.exists():
        raise FileNotFoundError(f"{sheet.path} does not exist, and the report shows it: run `dvc repro`")
    name = "-".join(sheet.path.with_suffix("").parts[1:])
    if sheet.path.stat().st_size < DRAWING:
        copy = folder / f"{name}.png"
        atomic.write(copy, sheet.path.read_bytes())
    else:
        copy = folder / f"{name}.jpg"
        shrink(sheet.path, copy)
    return sheet._replace(path=copy)


def _rank_lists(results: Results, folder: Path) -> list[Illustration]:
    """Draw the rank lists in the score files of the first seed, and write the page of them beside the folder."""
    text = "Green: the same person, red: somebody else, grey: not ranked (junk, or the query's own camera)."
    first = (
        f"The gallery images nearest to {{}} by the Euclidean distance of features, by training set and network. {text}"
    )
    hardest = "the queries with the lowest average precision of each training set and network"
    sheets = [
        Illustration("Queries", first.format("some queries"), folder / "rank_lists.jpg", rank_pages.PAGE),
        Illustration("Hardest queries", first.format(hardest), folder / "hardest.jpg", rank_pages.PAGE),
    ]
    lists = {
        sheet.title: {
            (row, network): [_checked(entry) for entry in seeds[0].file[sheet.path.stem]]
            for row, networks in results.items()
            for network, seeds in networks.items()
        }
        for sheet in sheets
    }
    with Archive(samples.read(layout.samples("query"))["archive"].iloc[0]) as archive:
        for sheet in sheets:
            _draw_rank_lists(lists[sheet.title], archive, sheet.path)
        rank_pages.write(lists, archive, folder.parent)
    return sheets


def _checked(entry: dict[str, Any]) -> dict[str, Any]:
    """The rank list; raises InputError where it has no distances, as those of earlier versions."""
    if not {"distances", "average_precision"} <= entry.keys():
        raise InputError(f"a rank list in {layout.SCORES} has no distances: run `dvc repro`, or evaluate again")
    return entry


def _draw_rank_lists(lists: rank_pages.Lists, archive: Archive, path: Path) -> None:
    """Draw the first query of all systems, then the second of all, and so on, of as many as fit on a JPEG."""
    drawn = []
    for number in range(min(*map(len, lists.values()), max(1, MOST_LINES // len(lists)))):
        for (row, network), entries in lists.items():
            entry = entries[number]
            gallery = [archive.image(image) for image in entry["gallery"]]
            pictures = list(zip(gallery, entry["kinds"], strict=True))
            drawn.append((f"{row}, {network}", archive.image(entry["query"]), pictures))
    rank_lists.draw(drawn, path)
