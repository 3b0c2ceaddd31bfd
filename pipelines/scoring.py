"""Scoring images of people against the real images that they should look like, with the networks that there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import cv2
import pandas as pd
import torch
from torch import Tensor

from augment.poses import Pose
from augment.scores.classifiers import CLASSIFIERS, Classifier, Judged, judge
from augment.scores.detectors import DETECTORS, Detector, detection_score
from augment.scores.inception import inception_score
from augment.scores.l1 import l1
from augment.scores.masks import masked, person_mask
from augment.scores.ssim import ssim
from pipelines import layout, resume
from reid.common.checkpoints import Scratch
from reid.files import samples
from reid.files.weights import MissingWeights

T = TypeVar("T")
BLOCK = 32  # images that formulas in double precision hold at a time


@dataclass(frozen=True)
class Networks:
    """The networks that judge images, None where their weights are missing, and notes that say so."""

    classifier: Classifier | None
    detector: Detector | None
    notes: list[str]


def load_networks(classifier: str, detector: str, device: torch.device, threads: int) -> Networks:
    """Classifier and detector by their names, on a device; what works on the CPU does so in `threads` threads."""
    cv2.setNumThreads(threads)
    notes = list[str]()
    found = load_classifier(classifier, device, "IS, mask-IS and FD", notes)
    return Networks(found, _or_note(lambda: DETECTORS[detector](device), "DS", notes), notes)


def load_classifier(name: str, device: torch.device, scores: str, notes: list[str]) -> Classifier | None:
    """The classifier of that name on a device; None, and a note that there are no `scores`, without its weights."""
    found = _or_note(CLASSIFIERS[name], scores, notes)
    return found.to(device) if found else None


def find_scratch(
    work: str, name: str, chosen: pd.DataFrame, table: pd.DataFrame, settings: dict[str, Any], device: torch.device
) -> Scratch:
    """The scratch folder of `work`: drawing the chosen pairs of a table's people with the generator `name`."""
    gan, drawn = layout.gan(name), chosen[["source", "target"]].to_numpy().tolist()
    inputs = [layout.poses(), gan / "weights.pt", gan / "config.json", *samples.archives(table)]
    return resume.scratch(work, settings | {"pairs": drawn, "device": device.type}, inputs)


def masks(poses: Pose, size: tuple[int, int]) -> Tensor:
    """The masks (N, H, W) of people in poses (N, 18)."""
    rows = torch.arange(len(poses)).split(BLOCK)
    return torch.cat([person_mask(poses[part], size) for part in rows])


def mean_ssim(images: Tensor, reference: Tensor, settings: str) -> float:
    """Mean SSIM of images (N, 3, H, W) uint8 and their references; `settings` as in `augment.scores.ssim`."""
    blocks = zip(images.split(BLOCK), reference.split(BLOCK), strict=True)
    return float(torch.cat([ssim(*block, settings) for block in blocks]).mean())


def compare(images: Tensor, reference: Tensor, mask: Tensor, settings: str) -> dict[str, float]:
    """How near images come to the real ones that they should be: ssim, mask_ssim, l1.

    Args:
        images: (N, 3, H, W) uint8.
        reference: (N, 3, H, W) uint8, the real images in the same poses.
        mask: (N, H, W), of the people in the reference images.
        settings: of SSIM, a key of `augment.scores.ssim.SETTINGS`.
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
    """What networks say of images by themselves: is, is_std, mask_is, mask_is_std, ds, where the network is there.

    Args:
        images: (N, 3, H, W) uint8 on the CPU.
        mask: (N, H, W), of the people in them.
        networks: from `load_networks`.
        device: that the classifier works on.
        title: what the images are, for the progress bars.

    Returns:
        the scores, and what the classifier says of each image.
    """
    scores, judged = {}, None
    if networks.classifier:
        judged = judge(networks.classifier, images.to(device), title=f"classify {title} images")
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
        notes.append(f"No {scores}: {error}; then `dvc repro -f score_gan score_gan_real`")
        return None
