"""Whether a method can learn twelve pairs of images by heart: of rendered people, each of them once."""

from typing import NamedTuple

import torch

from augment.data.people import People
from augment.data.tuples import Tuples
from augment.poses.estimators.truth import Truth
from augment.training import train
from reid.common.checkpoints import Scratch
from reid.datasets.market1501 import read_market1501
from reid.files.images import load, to_float

PEOPLE = 12
STORED = (128, 64)  # size of the images in the archive


class Learnt(NamedTuple):
    """What a method draws of the twelve, beside the best that needs no learning of the source."""

    distance: float  # mean absolute difference of the drawn images to the targets
    of_mean: float  # of the mean of all targets
    found: int  # of how many drawn images the nearest target, by that difference, is their own


def people_and_pairs(archive, size):
    """The people, at a size (H, W), and (12, 2) pairs: two images of each by two cameras, with whole torsos."""
    table = read_market1501(archive).tables["train"]
    table = table[table["identity"].isin(table["identity"].unique()[: 2 * PEOPLE])]
    table = table[Truth().estimate(table).has_torso().numpy()].sort_values("image")
    chosen = []
    for _, own in table.groupby("identity"):
        first = own.iloc[0]
        others = own[own["camera"] != first["camera"]]
        if len(others):
            chosen += [first, others.iloc[0]]
        if len(chosen) == 2 * PEOPLE:
            break
    table = table.loc[[entry.name for entry in chosen]]
    poses = Truth().estimate(table).scaled([STORED] * len(table), size)
    images = load(table["archive"], table["image"], size)
    people = People(images, poses, identities=torch.tensor(table["identity"].to_numpy()))
    return people, torch.arange(2 * PEOPLE).view(-1, 2)


def learn(method, archive, folder, onto_target=True, **schedule):
    """Train on the twelve pairs alone; what it then draws of the sources in the poses of the targets.

    Args:
        method: to train.
        archive: of the embedded data set.
        folder: for the state of the training.
        onto_target: whether it draws the sources in the targets' poses; or, of methods that learn from single images,
            in their own, to be compared with the sources.
        schedule: of the loop.
    """
    people, pairs = people_and_pairs(archive, method.size)
    train(method, people, pairs, Scratch("overfitting", {}, folder), **schedule)
    wanted = pairs[:, 1] if onto_target else pairs[:, 0]
    with torch.no_grad():
        drawn = method.generate(people.batch(Tuples.of_pairs(pairs[:, 0], wanted), with_target=False))
    real = to_float(people.images[wanted])
    differences = (drawn[:, None] - real[None]).abs().flatten(2).mean(2)  # (12 drawn, 12 real)
    found = int((differences.argmin(1) == torch.arange(PEOPLE)).sum())
    return Learnt(float(differences.diagonal().mean()), float((real.mean(0) - real).abs().mean()), found)
