"""Scoring generated images against the real target images, by formulas and by the networks whose weights are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pandas as pd
import torch
from torch import Tensor

from augment.methods import Method
from augment.poses import Pose
from augment.scores.classifiers import CLASSIFIERS, Classifier, Judged, judge
from augment.scores.detectors import DETECTORS, Detector, detection_score
from augment.scores.inception import SPLITS, inception_score
from augment.scores.l1 import l1
from augment.scores.masks import masked, person_mask
from augment.scores.ssim import ssim
from pipelines import layout, resume
from reid.common.checkpoints import Scratch
from reid.files import samples
from reid.files.weights import MissingWeights

T = TypeVar("T")
BLOCK = 32  # images at a time in formulas in double precision, which bounds their memory


class Searcher(NamedTuple):
    """A Re-ID network that was trained on real images, to look for the people whom a generator draws."""

    model: Path  # folder that train-reid wrote, if it has run
    mirror: bool  # whether the network embeds each image together with its mirror image


@dataclass(frozen=True)
class Networks:
    """The networks that score images; one whose weights are missing is None."""

    classifier: Classifier | None  # of IS and FD
    detector: Detector | None  # of DS
    notes: list[str]  # which scores are missing, and how to get them


def load_networks(classifier: str, detector: str, device: torch.device) -> Networks:
    """Load both networks onto a device.

    Args:
        classifier: a key of `augment.scores.classifiers.CLASSIFIERS`.
        detector: a key of `augment.scores.detectors.DETECTORS`.
        device: of both, but for a detector that runs on the CPU alone.
    """
    notes = list[str]()
    loaded = load_classifier(classifier, device, "IS, mask-IS and FD", notes)
    return Networks(loaded, _or_note(lambda: DETECTORS[detector](device), "DS", notes), notes)


def load_classifier(name: str, device: torch.device, scores: str, notes: list[str]) -> Classifier | None:
    """Load a classifier onto a device.

    Without its weights that is None, and a note is added to `notes`: there will be none of the `scores` that need it.
    """
    classifier = _or_note(CLASSIFIERS[name], scores, notes)
    return classifier.to(device) if classifier else None


def load_detector(name: str, device: torch.device) -> tuple[Detector | None, list[str]]:
    """Load a detector onto a device; without its weights it is None, and the list has a note that says so."""
    notes = list[str]()
    return _or_note(lambda: DETECTORS[name](device), "detection", notes), notes


def find_scratch(
    work: str,
    name: str,
    method: Method,
    chosen: pd.DataFrame,
    table: pd.DataFrame,
    settings: dict[str, Any],
    device: torch.device,
    module: str,
) -> Scratch:
    """Find the scratch folder of drawing test pairs, from which an interrupted run goes on.

    Args:
        work: what the images are drawn for; part of the folder's name.
        name: of the generator.
        method: that of the generator.
        chosen: the pairs, columns source and target: names of images.
        table: sample table of the images.
        settings: everything else that decides how the images come out.
        device: that they are drawn on.
        module: name of the module that does the work.
    """
    gan, drawn = layout.gan(name), chosen[["source", "target"]].to_numpy().tolist()
    inputs = [layout.poses(), gan / "weights.pt", gan / "config.json", *samples.archives(table)]
    settings = settings | {"pairs": drawn, "device": device.type}
    return resume.scratch(work, settings, inputs, module, [type(method)])


def masks(poses: Pose, size: tuple[int, int]) -> Tensor:
    """Masks (N, H, W) of the people in N poses, in pixels of `size`, (H, W)."""
    return torch.cat([person_mask(poses[part], size) for part in torch.arange(len(poses)).split(BLOCK)])


def mean_ssim(images: Tensor, reference: Tensor, settings: str) -> float:
    """Mean SSIM of images and references (N, 3, H, W) uint8; `settings` is a key of `augment.scores.ssim.SETTINGS`."""
    blocks = zip(images.split(BLOCK), reference.split(BLOCK), strict=True)
    return float(torch.cat([ssim(*block, settings) for block in blocks]).mean())


def compare(images: Tensor, reference: Tensor, mask: Tensor, settings: str) -> dict[str, float]:
    """Scores of images against the real images that they should look like: means of SSIM, mask-SSIM and L1.

    Args:
        images: (N, 3, H, W) uint8.
        reference: (N, 3, H, W) uint8, the real images in the same poses.
        mask: (N, H, W), of the people in the reference images.
        settings: of SSIM, a key of `augment.scores.ssim.SETTINGS`.

    Returns:
        ssim, mask_ssim (of images that are black outside the mask), l1 (in 0..2).
    """
    blocks = zip(images.split(BLOCK), reference.split(BLOCK), strict=True)
    return {
        "ssim": mean_ssim(images, reference, settings),
        "mask_ssim": mean_ssim(masked(images, mask), masked(reference, mask), settings),
        "l1": float(torch.cat([l1(*block) for block in blocks]).mean()),
    }


def inspect(
    images: Tensor, mask: Tensor, networks: Networks, device: torch.device, title: str
) -> tuple[dict[str, float], Judged | None]:
    """Scores of images that need no reference: inception score and detection score.

    Args:
        images: (N, 3, H, W) uint8 on the CPU.
        mask: (N, H, W), of the people in them.
        networks: from `load_networks`.
        device: that the classifier works on.
        title: what the images are, for the progress bars.

    Returns:
        is, is_std, mask_is, mask_is_std (of images that are black outside the mask) and ds, of those whose network is
        loaded; and the classifier's features and probabilities of each image, None without a classifier.
    """
    scores, judged = {}, None
    if networks.classifier:
        judged = judge(networks.classifier, images.to(device), title=f"classify {title} images")
        if len(images) < SPLITS:
            networks.notes.append(f"No IS, mask-IS of {title} images: they take {SPLITS}, there are {len(images)}")
        else:
            scores["is"], scores["is_std"] = inception_score(judged.probabilities)
            hidden = masked(images, mask).to(device)
            of_masked = judge(networks.classifier, hidden, title=f"classify {title} images, masked")
            scores["mask_is"], scores["mask_is_std"] = inception_score(of_masked.probabilities)
    if networks.detector:
        pixels = images.permute(0, 2, 3, 1).numpy()
        scores["ds"] = detection_score(networks.detector, pixels, f"detect people in {title} images")
    return scores, judged


def _or_note(build: Callable[[], T], scores: str, notes: list[str]) -> T | None:
    try:
        return build()
    except MissingWeights as error:
        notes.append(f"No {scores}: {error}; then `dvc repro -s -f` with this stage's name, and `dvc repro`")
        return None
