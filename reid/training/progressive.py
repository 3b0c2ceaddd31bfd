"""Progressive unsupervised learning, PUL (Fan et al., ACM TOMM 2018): training on images of people who have no labels.

In rounds, the network's own features of the images are clustered; images near the centre of their cluster are reliable,
and the network is trained on them with their clusters for classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reid.common import atomic
from reid.common.checkpoints import State
from reid.common.errors import InputError
from reid.common.parameters import Positive, Share
from reid.evaluation.features import extract, normalise
from reid.networks import IDE
from reid.randomness.seeds import seed_for
from reid.training.loop import train

STARTS = 10  # of k-means in the first round, each from other centres


class Clustering(NamedTuple):
    """Clusters of N images."""

    clusters: NDArray[np.int64]  # (N,) of each image, 0..K-1
    reliable: NDArray[np.bool_]  # (N,) which are near the centre of their cluster


class Refined(NamedTuple):
    """A network that was trained without labels."""

    network: IDE
    classes: int  # of its classifier: clusters with reliable images in the last round
    log: list[dict[str, float]]  # a line a round: round, reliable, clusters, agreement (NaN in the first), loss
    clusterings: list[Clustering]  # of the rounds


def refine(
    network: IDE,  # to start from, trained on whatever there is
    make: Callable[[int], IDE],  # builds a network like it with so many classes
    images: Tensor,  # (N, 3, H, W) uint8 RGB, of people without labels
    training: dict[str, Any],  # options of `reid.training.loop.train`; in rounds the rate is constant, as released
    scratch: State,  # where the rounds' state is kept until the caller removes it
    *,
    clusters: Positive,  # K; 750 for the 751 people of Market-1501's training set, 700 for DukeMTMC-reID's 702
    threshold: Share = 0.85,  # least cosine between an image and its cluster's centre for it to be reliable
    rounds: Positive = 25,  # at most
    iterations: Positive = 1000,  # in each round; the original has 20 epochs of the reliable images
    restart: bool = True,  # whether each round trains the network that it all began with, as released, or the last one
    agreement: Share = 0.95,  # two rounds that cluster the images so much alike are the last ones
    mirror: bool = False,  # whether features are those of an image and of its mirror image together
    keep: bool = False,  # whether each round's network is handed to `on_round`
    seed: int = 0,
    on_round: Callable[[int, IDE, int], None] = lambda *_: None,  # takes a round, from 1, the network, its classes
) -> Refined:
    """Train a network further, on images without labels.

    It stops after the round whose clustering agrees with that of the round before (by the adjusted Rand index), since
    from then on the rounds teach the same; no label and no test image is looked at. So that this measures how the
    network changes, and not from which centres k-means began, each round's begins from the means of the clusters
    before. The original has no such rule: it runs 25 rounds, all of them tested, with k-means from other centres.

    Raises:
        InputError: there are fewer images than clusters, or fewer reliable images than a batch holds.
    """
    if len(images) < clusters:
        raise InputError(f"{len(images)} images cannot be in {clusters} clusters: set `clusters` to fewer")
    began = {name: value.clone() for name, value in network.state_dict().items()}
    classes, log, clusterings = 0, list[dict[str, float]](), list[Clustering]()
    if (state := scratch.load()) is not None:
        classes, log = state["classes"], state["log"]
        clusterings = [Clustering(*(part.numpy() for part in one)) for one in state["clusterings"]]
        if log:
            network = make(classes).to(images.device)
            network.load_state_dict(state["network"])

    def save() -> None:
        kept = [[torch.from_numpy(array) for array in one] for one in clusterings]
        state = {"classes": classes, "log": log, "clusterings": kept, "network": network.state_dict()}
        scratch.save(state)

    for number in range(len(log) + 1, rounds + 1):
        if log and log[-1]["agreement"] >= agreement:
            break
        if len(clusterings) < number:  # if not, the round was interrupted, and goes on with the clusters that it had
            features = extract(network, images, title=f"features of round {number}", mirror=mirror)
            before = clusterings[-1].clusters if clusterings else None
            clusterings.append(cluster(features, clusters, threshold, seed_for(seed, "clusters", number), before))
            save()
        found = clusterings[-1]
        count = int(found.reliable.sum())
        if count < training["batch_size"]:
            raise InputError(
                f"round {number}: {count} of {len(images)} images are reliable, and a batch holds "
                f"{training['batch_size']}: set a lower `threshold`, more `clusters` or a smaller `batch_size`"
            )
        _, labels = np.unique(found.clusters[found.reliable], return_inverse=True)
        classes, given = int(labels.max()) + 1, began if restart else network.state_dict()
        torch.manual_seed(seed_for(seed, "initial weights", number))
        network = make(classes).to(images.device)
        _start_from(network, given)
        chosen = torch.from_numpy(found.reliable).to(images.device)
        part = scratch.part(f"round-{number:02d}")
        each = partial(torch.full, (count,), device=images.device)
        losses = train(
            network,
            images[chosen],
            torch.from_numpy(labels).to(images.device),
            each(fill_value=0.0),  # no smoothing
            each(fill_value=1.0),  # equal weights
            part,
            **{**training, "iterations": iterations, "warmup": 0, "decay_at": None},
            seed=seed_for(seed, "round", number),
        )
        alike = _agreement(clusterings[-2], found) if number > 1 else math.nan
        line = {"round": number, "reliable": count, "clusters": classes, "agreement": alike, "loss": losses[-1]["loss"]}
        log.append(line)
        if keep:
            on_round(number, network, classes)
        save()
        if part.folder.exists():
            atomic.remove(part.folder)
    return Refined(network, classes, log, clusterings)


def cluster(
    features: NDArray[np.float32], clusters: int, threshold: float, seed: int, before: NDArray[np.int64] | None = None
) -> Clustering:
    """Cluster features (N, D) by k-means; reliable is what has a cosine of `threshold` or more to its cluster's centre.

    Given clusters (N,) of the round `before`, 0..K-1, it begins from the means of these.

    The centre of a cluster is the image that is nearest to the mean of its features. (The released code takes an image
    near any cluster's centre for reliable; in the text it is that of its own.)

    Example:
        >>> features = np.float32([[1, 0], [1, 0.1], [1, 0.2], [0, 1], [0.9, 1]])
        >>> found = cluster(features, clusters=2, threshold=0.9, seed=0)
        >>> len(set(found.clusters[:3])), found.clusters[3] != found.clusters[0], found.reliable.tolist()[:3]
        (1, np.True_, [True, True, True])
    """
    from sklearn.cluster import KMeans

    start: dict[str, Any] = {"n_init": STARTS}
    if before is not None:
        sums, sizes = np.zeros((clusters, features.shape[1])), np.bincount(before, minlength=clusters)[:, None]
        np.add.at(sums, before, features)
        # One that is empty (of fewer different images than clusters) begins from the mean of all.
        start = {"n_init": 1, "init": np.where(sizes, sums / np.maximum(sizes, 1), features.mean(0))}
    made = KMeans(clusters, **start, random_state=seed % 2**32).fit(features)
    which = made.labels_.astype(np.int64)
    distance = np.linalg.norm(features - made.cluster_centers_[which], axis=1)
    order = np.lexsort((distance, which))
    first = np.flatnonzero(np.diff(which[order], prepend=-1))
    centre = np.full(clusters, -1)
    centre[which[order][first]] = order[first]  # of each cluster, the image nearest to its mean
    unit = normalise(features)
    return Clustering(which, (unit * unit[centre[which]]).sum(1) >= threshold)


def _agreement(before: Clustering, now: Clustering) -> float:
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(before.clusters, now.clusters))


def _start_from(network: IDE, state: dict[str, Tensor]) -> None:
    """Give a network all weights of a state but the classifier's, whose classes are others."""
    kept = {name: value for name, value in state.items() if not name.startswith("classifier.")}
    network.load_state_dict({**network.state_dict(), **kept})
