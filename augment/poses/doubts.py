"""What makes one doubt poses that come from elsewhere: they are used as they are, so somebody should be told."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from augment.poses.pose import Pose

OUTSIDE, ZERO, UNKNOWN = 0.1, 0.01, 0.5  # shares from which on it is said


def doubts(pose: Pose, sizes: Sequence[tuple[int, int]]) -> list[str]:
    """Sentences with counts and the likely cause; none where the poses look as poses do.

    Args:
        pose: (N, 18), in pixels of the images as they are stored.
        sizes: (H, W) of the N images.

    Example:
        >>> pose = Pose(torch.full((2, 18, 2), 200.0), torch.ones(2, 18, dtype=torch.bool))
        >>> doubts(pose, [(128, 64)] * 2)
        ['36 of 36 known joints are outside their image: were they found in images of another size?']
    """
    known = int(pose.visible.sum())
    nobody = int((~pose.visible.any(1)).sum())
    found = []
    if nobody > UNKNOWN * len(pose):
        found.append(f"{nobody:,} of {len(pose):,} images have no known joint: are the joints inside of the images?")
    if not known:
        return found
    joints = pose.joints[pose.visible]
    limit = torch.tensor([(width, height) for height, width in sizes])[:, None].expand(-1, 18, 2)[pose.visible]
    outside = int(((joints < -0.5) | (joints > limit - 0.5)).any(1).sum())
    zero = int((joints == 0).all(1).sum())
    if (joints >= 0).all() and (joints <= 1).all():
        found.append(f"all {known:,} known joints lie in 0..1: are they shares of the images' sizes?")
    elif zero > ZERO * known:
        found.append(f"{zero:,} of {known:,} known joints are at exactly (0, 0): are these the missing ones?")
    if outside > OUTSIDE * known:
        found.append(
            f"{outside:,} of {known:,} known joints are outside their image: were they found in images of another size?"
        )
    return found
