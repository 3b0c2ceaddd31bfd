"""Paths of all inputs and outputs of the stages, below the project's root; dvc.yaml has the same ones."""

from __future__ import annotations

from pathlib import Path

CHECKED = Path("data/checked.txt")
SAMPLES = Path("data/samples")
POSES = Path("data/poses")
PAIRS = Path("data/pairs")
GAN = Path("data/gan")
AUGMENTED = Path("data/augmented")
REID = Path("data/reid")
SCORES = Path("data/scores")
GAN_SCORES = Path("data/gan_scores")
REPORT = Path("data/report")

PROVENANCE = "provenance.json"  # in the folder of an augmented training set: how it was made
JUDGED = "judged.parquet"  # there too, where images were chosen from several: what judged each
REAL = "real"  # the row of the results table that is trained on real images alone
TRAINED_SPLITS = ("train", "gallery")  # splits whose poses are estimated, to train generators and to test them


def row_name(augmentation: str, alpha: int) -> str:
    """Name of a row of the results table, which is a training set: `real` or `AUGMENTATION-aALPHA`."""
    return REAL if augmentation == REAL else f"{augmentation}-a{alpha}"


def folder_name(row: str) -> str:
    """Name of a row's folders and files; the real training set is that of alpha = 1."""
    return f"{REAL}-a1" if row == REAL else row


def samples(split: str) -> Path:
    """Sample table of `train`, `query`, `gallery`, or `pool` (images whose features multi-query evaluation pools)."""
    return SAMPLES / f"{split}.parquet"


def poses() -> Path:
    """Table of the poses of all images in TRAINED_SPLITS."""
    return POSES / "poses.parquet"


def pairs(split: str) -> Path:
    """Pairs of images of one person: for `train` or `test`, or those `shown` on the sheets of a training."""
    return PAIRS / f"{split}.parquet"


def augmented(augmentation: str, alpha: int) -> Path:
    """Folder of a training set: `train.parquet`; with new images also `images.zip`, `provenance.json`, `sheet.png`."""
    return AUGMENTED / folder_name(row_name(augmentation, alpha))


def reid(row: str, network: str, seed: int) -> Path:
    """Folder of a Re-ID network that was trained on the training set `row`."""
    return REID / f"{folder_name(row)}-{network}-s{seed}"


def score(row: str, network: str, seed: int) -> Path:
    """Score file of a Re-ID network that was trained on the training set `row`.

    Beside it, with the suffix .parquet, lie the first rank and average precisions of each query.
    """
    return SCORES / f"{folder_name(row)}-{network}-s{seed}.json"


def gan(generator: str) -> Path:
    """Folder of a trained generator."""
    return GAN / generator


def gan_score(generator: str) -> Path:
    """Score file of a generator's images; beside it, with the suffix .png, a sheet of them."""
    return GAN_SCORES / f"{generator}.json"


def gan_ranks(generator: str) -> Path:
    """Sheet of the real images that a Re-ID network ranks first for a generator's images."""
    return GAN_SCORES / f"{generator}-ranks.png"


def gan_grid(generator: str) -> Path:
    """Images that a generator draws of a few test people, each in the poses of all of them."""
    return GAN_SCORES / f"{generator}-grid.parquet"


def gan_noise(generator: str) -> Path:
    """Scores of a generator's images against the noise on the source poses; beside it, as .png, a figure of them."""
    return GAN_SCORES / f"{generator}-noise.tsv"


def gan_sources(generator: str) -> Path:
    """Scores of a generator's images by the number of sources; beside it, as .png, a figure of them."""
    return GAN_SCORES / f"{generator}-sources.tsv"


def gan_features(generator: str) -> Path:
    """Scores of a generator's embeddings of people as Re-ID features."""
    return GAN_SCORES / f"{generator}-features.tsv"
