"""What a study measures: how often real images are taken for generated ones, and generated ones for real."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pipelines.study.intervals import Share, share
from pipelines.study.key import Answers, Key


class Scores(NamedTuple):
    """The scores of P participants; intervals as `pipelines.study.intervals` says."""

    r2g: Share  # of real images, taken for generated
    g2r: Share  # of generated images, taken for real
    accuracy: Share  # of all images, taken for what they are


def score(key: Key, answers: Sequence[Answers]) -> Scores:
    """The scores of participants who each answered all images of the key."""
    generated = np.array([image.origin == "generated" for image in key.images.values()])
    said = [{each.image: each.answer for each in one.answers} for one in answers]
    wrong = np.array([[one[name] != image.origin for name, image in key.images.items()] for one in said])
    alike = np.zeros(len(generated), np.int64)
    return Scores(
        r2g=share(wrong[:, ~generated], alike[~generated]),
        g2r=share(wrong[:, generated], alike[generated]),
        accuracy=share(~wrong, generated.astype(np.int64)),
    )
