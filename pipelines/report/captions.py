"""Captions: what the numbers of a table are, by what they were measured, and on what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipelines import layout
from pipelines.params import Params
from pipelines.report.gains import ORACLE
from pipelines.report.image_tables import ScoreFile, notes
from pipelines.report.reid_table import LEVEL
from pipelines.report.results import Results, distances

RENDERED = "streets"  # the data set of rendered people
ABLATIONS = "Scores as in the table of generated images, where they are defined. One seed."


def facts(params: Params, results: Results) -> dict[str, str]:
    """What was run, for the head of the page: name of a fact -> the fact."""
    real = next(iter(results[layout.REAL].values()))[0].file
    trained_on = real["trained_on"]
    networks = [f"{name} ({_listed(distances(seeds))})" for name, seeds in results[layout.REAL].items()]
    return {
        "Data set": f"{params.dataset.name}: {trained_on['images']:,} training images of {trained_on['identities']:,} "
        f"people, {real['queries']:,} queries, {real['gallery']:,} gallery images",
        "Part of the training set": "all" if params.dataset.whole else f"{_part(params)}, chosen by seed {params.seed}",
        "Profile": params.profile,
        "Seeds": f"{params.seed} for pairs, generators and training sets; {_listed(params.seeds)} for Re-ID networks",
        "Device": real["device"],
        "Pose estimator": params.pose.estimator,
        "Training sets": _listed(results),
        "Re-ID networks and their distances": _listed(networks),
    }


def reid_caption(params: Params, results: Results, published: bool) -> str:
    """Caption of the Re-ID table.

    Args:
        params: the parameters of the run.
        results: of `pipelines.report.results.read_results`.
        published: whether the paper's numbers are shown.
    """
    real = {network: seeds[0].file for network, seeds in results[layout.REAL].items()}
    first = next(iter(real.values()))
    parts = [
        f"Data set {params.dataset.name}, profile {params.profile}, {_seeds(params.seeds)}, {first['device']}.",
        f"Per cent; {_queries(first)} against {first['gallery']:,} gallery images;",
        f"mAP by the {params.report.average_precision} rule.",
        f"*: differs from {layout.REAL} by a paired bootstrap over people, not over seeds (p < {LEVEL}, not corrected",
        "for the number of comparisons).",
    ]
    fitted_to = sorted({file["learnt_from"] for file in real.values()} - {None})
    if fitted_to:
        parts.append(f"Learned distances are fitted to the features of {' and '.join(fitted_to)} training images")
        parts[-1] += ", or of all where none is real." if any(_alone(params)) else "."
    if first["queries_without_match"]:
        parts.append(
            f"{first['queries_without_match']:,} queries have no image of their person from another camera in the "
            "gallery and count as not found."
        )
    if params.dataset.name == RENDERED:
        parts.append("The people are rendered: not to be compared with numbers of other data sets.")
    if published:
        parts.append("In brackets: Table 4 of the journal paper.")
        if "ide_smoothed" in results[layout.REAL]:
            parts.append("Those of ide_smoothed are what Liu et al. report with label smoothing.")
    return " ".join(parts)


def gains_caption(params: Params) -> str:
    """What the caption of the Re-ID table says of the gains in it."""
    parts = [
        f"Gain: the difference from {layout.REAL}, in points of per cent, with its 95 % interval over the",
        f"{len(params.seeds)} seeds of Re-ID training and over the people of the queries together; * there: the",
        "interval excludes zero (not corrected for the number of comparisons). Generators and the sets that they",
        "draw are those of one seed.",
    ]
    if ORACLE in params.renderings:
        parts.append(
            f"After the comma: the share of the gain of {ORACLE}, the renderer's own images of the same people, at the "
            "same alpha, with its own 95 % interval, where that gain is certain and the row is no certain loss."
        )
    return " ".join(parts)


def networks_caption(params: Params) -> str:
    """Caption of the table of what networks add."""
    return (
        f"Differences from {params.networks[0]}, trained on the same images, in points of per cent, with 95 % "
        "intervals as above."
    )


def image_caption(params: Params, files: Mapping[str, ScoreFile], published: bool) -> str:
    """Caption of the table of generators' scores: a definition of each score that is in it.

    Args:
        params: the parameters of the run.
        files: `real` or a generator's name -> its score file.
        published: whether the paper's numbers are shown.
    """
    pairs = sorted({file["pairs"] for file in files.values()})
    shown = {key for file in files.values() for key in file["scores"]}
    real = files[layout.REAL]
    parts = [
        f"Images of people who are not in the training set, each compared with the real target image in its pose "
        f"({layout.REAL}: these target images themselves); data set {params.dataset.name}, profile {params.profile},",
        f"{' to '.join(f'{number:,}' for number in dict.fromkeys((pairs[0], pairs[-1])))} pairs, {real['device']}.",
        *(text for key, text in _definitions(real["definitions"]).items() if key in shown),
    ]
    if published:
        parts.append("In brackets: Tables 1 and 5 of the journal paper (Inception's 2015 graph, SSD300).")
        if {"pg2", "disentangled"} & set(files):
            parts.append("Its SSIM of pg2 and disentangled is that of their papers, `scores.ssim: pg2`.")
    return " ".join([*parts, *notes(files)])


def sources_caption(published: bool) -> str:
    """Caption of the table of scores by number of sources; `published`: whether the paper's numbers are shown."""
    parts = [
        "Scores as in the table of generated images, from the first of several sources: mean ± standard deviation over",
        "choices of the others. For identity none of all sources is in the gallery, whatever their number.",
    ]
    if published:
        parts.append("In brackets: Tables 1 and 2 of the WACV 2020 paper, with a generator for each number of sources.")
    return " ".join(parts)


def features_caption(published: bool) -> str:
    """Caption of the table of embeddings as features; `published`: whether the paper's numbers are shown."""
    parts = [
        "Rank-1 and mAP (trapezoid) in per cent, by the Euclidean distance of features of length 1 that were trained",
        "without labels; PCA: their first principal components in the training images. Chance: the mean of random",
        "rankings.",
        "Networks of virtual people, from there also on real images without labels, are in the table of",
        "re-identification, where these people alone are the training set.",
    ]
    if published:
        parts.append("In brackets: Table 2 of the CVPR 2018 paper.")
    return " ".join(parts)


def _alone(params: Params) -> Iterator[str]:
    """Names of rows that have no real images."""
    return (name for name in params.virtual if not params.virtual_people[name].added)


def _part(params: Params) -> str:
    people, images = params.dataset.train_people, params.dataset.train_images
    limits = [f"{people:,} people" if people else "", f"at most {images:,} images of each person" if images else ""]
    return ", ".join(filter(None, limits))


def _seeds(seeds: list[int]) -> str:
    several = f"seeds {_listed(seeds)} (mean ± standard deviation)"
    return several if len(seeds) > 1 else f"seed {seeds[0]}"


def _listed(names: Iterable[object]) -> str:
    return ", ".join(map(str, names))


def _queries(file: dict[str, Any]) -> str:
    number, pooling = file["queries"], file["pooling"]
    if pooling == "single":
        return f"single query, {number:,} queries"
    return f"multi-query ({pooling} of the images in {layout.samples('pool')}), {number:,} queries"


def _definitions(measured_by: dict[str, Any]) -> dict[str, str]:
    """Key of a score -> its definition; `measured_by` names networks and settings."""
    classifier, identity = measured_by["classifier"], measured_by["identity"]
    return {
        "ssim": f"SSIM: structural similarity to the target image, settings {measured_by['ssim']}.",
        "is": f"IS: inception score by {classifier}, mean of {measured_by['splits']} splits.",
        "mask_ssim": "mask-: all pixels outside the mask of the target's pose are black.",
        "ds": f"DS: detection score, the mean confidence of {measured_by['detector']} that an image shows a person.",
        "l1": "L1: mean absolute difference from the target image, of values in [-1, 1].",
        "fd": f"FD: Frechet distance between {classifier}'s features of the images and of the target images "
        f"({layout.REAL}: of the target and the source images).",
        "identity_rank1": f"identity: Rank-1 and mAP (per cent) of the images as queries of {identity}, trained on "
        "real images, in the test gallery without the image's own source and target.",
    }
