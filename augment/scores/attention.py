"""Does a generator from several sources look at those that show what it draws?

Attention is measured relative to what a source would get if all valid sources of its sample got the same: 1 is that.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from augment.data.batch import Batch
from augment.poses import Pose

BLACK = -1.0  # of all channels


class AtJoints(NamedTuple):
    """Relative attention at the place of each joint in the target image, NaN where there is no such source."""

    seen: Tensor  # (B, 18) mean over the sources that show the joint
    hidden: Tensor  # (B, 18) mean over those that do not


def relative(attention: Tensor, valid: Tensor) -> Tensor:
    """Relative attention (B, M, H, W), 0 where a source is not valid.

    Args:
        attention: (B, M, H, W), which sums to 1 over the valid sources.
        valid: (B, M).

    Example:
        >>> relative(torch.tensor([0.75, 0.25, 0.0]).view(1, 3, 1, 1), torch.tensor([[True, True, False]])).flatten()
        tensor([1.5000, 0.5000, 0.0000])
    """
    return attention * (valid.sum(1)[:, None, None, None] * valid[:, :, None, None])


def at_joints(attention: Tensor, valid: Tensor, target: Pose, shown: Tensor) -> AtJoints:
    """Relative attention at the target's joints, in the sources that show a joint and in those that do not.

    Args:
        attention: (B, M, H, W) relative attention.
        valid: (B, M).
        target: (B, 18), in pixels of the attention. Joints that are not visible, or outside, have NaN.
        shown: (B, M, 18) bool: which joints each source shows.
    """
    height, width = attention.shape[2:]
    x, y = target.joints.round().long().unbind(-1)  # (B, 18) each
    inside = target.visible & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    place = (y.clamp(0, height - 1) * width + x.clamp(0, width - 1))[:, None].expand_as(shown)
    found = attention.flatten(2).gather(2, place)  # (B, M, 18)

    def mean(which: Tensor) -> Tensor:
        chosen = which & valid[:, :, None] & inside[:, None]
        return (found * chosen).sum(1) / torch.where(chosen.any(1), chosen.sum(1), torch.nan)

    return AtJoints(mean(shown), mean(~shown))


def with_black_source(batch: Batch) -> Batch:
    """The batch with the last valid source of each sample black; its pose stays.

    Samples with one source keep it.
    """
    valid = batch.valid()
    last = valid.sum(1) - 1  # valid sources come first
    black = torch.nn.functional.one_hot(last, valid.shape[1]).bool() & (last > 0)[:, None]
    source = torch.where(black[:, :, None, None, None], BLACK, batch.source)
    return replace(batch, source=source, single=None)
