"""Where everything lies below the project's root, as dvc.yaml has it."""

from __future__ import annotations

from pathlib import Path

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
REAL = "real"  # the row of the table without augmentation
TRAINED_SPLITS = ("train", "gallery")  # the splits whose poses are estimated: for training and for testing generators


def row_name(augmentation: str, alpha: int) -> str:
    """The name of a row of the table: a training set, `real` or `AUGMENTATION-aALPHA`."""
    return REAL if augmentation == REAL else f"{augmentation}-a{alpha}"


def folder_name(row: str) -> str:
    """The name of a row's folders and files; the real training set is that of alpha = 1."""
    return f"{REAL}-a1" if row == REAL else row


def samples(split: str) -> Path:
    """Sample table of `train`, `query`, `gallery` or `pool` (the images of multi-query evaluation)."""
    return SAMPLES / f"{split}.parquet"


def poses() -> Path:
    """Table of poses."""
    return POSES / "poses.parquet"


def pairs(split: str) -> Path:
    """Pairs of `train` or `test`, or those `shown` on sheets."""
    return PAIRS / f"{split}.parquet"


def augmented(augmentation: str, alpha: int) -> Path:
    """Folder of a training set: `train.parquet`; with new images also `images.zip`, `provenance.json`, `sheet.png`."""
    return AUGMENTED / folder_name(row_name(augmentation, alpha))


def reid(row: str, network: str, seed: int) -> Path:
    """Folder of a Re-ID network trained on one row's images."""
    return REID / f"{folder_name(row)}-{network}-s{seed}"


def score(row: str, network: str, seed: int) -> Path:
    """Scores of one network trained on one row's images; beside it, as Parquet, what each query is worth."""
    return SCORES / f"{folder_name(row)}-{network}-s{seed}.json"


def gan(generator: str) -> Path:
    """Folder of a trained generator."""
    return GAN / generator


def gan_score(generator: str) -> Path:
    """Scores of a generator's images; beside it, with another suffix, a sheet of them."""
    return GAN_SCORES / f"{generator}.json"


def gan_ranks(generator: str) -> Path:
    """Sheet of rank lists: whom a Re-ID network takes a generator's images for."""
    return GAN_SCORES / f"{generator}-ranks.png"


def gan_noise(generator: str) -> Path:
    """Scores of a generator with noise on its source poses; beside it a figure of them."""
    return GAN_SCORES / f"{generator}-noise.tsv"
