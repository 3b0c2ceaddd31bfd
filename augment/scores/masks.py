"""The person's mask for mask-SSIM and mask-IS, made from the 18 joints as in the released test script.

These scores leave the background out, since a generator that is not given the target's background cannot know it
(Sec. 5.2). The procedure is that of Ma et al. (PG2): discs around the joints, bars along the limbs, then a
morphological closing. These are not the masks of the body regions that the generator uses.

Convention:
    Joints are x then y in pixels; a pixel belongs to a disc or bar if its centre does. Discs are without their edge,
    bars with the left and the upper part of theirs, as `skimage.draw.polygon` of scikit-image 0.13.1 has them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from augment.geometry.limbs import LIMBS, closed
from augment.poses.pose import Pose

RADIUS = 4.0  # of the discs, and half the width of the bars, in pixels, at every image size


def person_mask(pose: Pose, size: tuple[int, int]) -> Tensor:
    """Where the person is: discs around visible joints and bars along visible limbs, closed (dilated, then eroded).

    Args:
        pose: (B, 18), in pixels of the image.
        size: (H, W) of the image.

    Returns:
        (B, H, W) bool.

    Example:
        >>> import torch
        >>> from augment.poses import INDEX, Pose
        >>> from augment.scores.masks import person_mask
        >>> pose = Pose(torch.full((1, 18, 2), 20.0), torch.zeros(1, 18, dtype=torch.bool))
        >>> pose.visible[0, INDEX["nose"]] = True
        >>> mask = person_mask(pose, (128, 64))  # a disc around (20, 20)
        >>> mask.sum().item(), mask[0, 20, 23].item(), mask[0, 20, 24].item()
        (45, True, False)
    """
    x, y = pose.joints.double().unbind(-1)  # (B, 18)
    right = torch.arange(size[1], device=x.device) - x[..., None]  # (B, 18, W) from each joint to each pixel's x
    down = torch.arange(size[0], device=x.device) - y[..., None]
    mask = torch.zeros(len(x), *size, dtype=torch.bool, device=x.device)
    for joint in range(x.shape[1]):
        inside = _outer_sum(down[:, joint] ** 2, right[:, joint] ** 2) < RADIUS**2
        mask |= inside & pose.visible[:, joint, None, None]
    for start, end in LIMBS:
        mask |= _bars(x, y, start, end, size) & (pose.visible[:, start] & pose.visible[:, end])[:, None, None]
    return closed(mask)


def masked(images: Tensor, mask: Tensor) -> Tensor:
    """Images (B, 3, H, W) uint8, black outside their masks (B, H, W)."""
    return images * mask[:, None].to(images.dtype)


def _bars(x: Tensor, y: Tensor, start: int, end: int, size: tuple[int, int]) -> Tensor:
    """The bars (B, H, W) bool along the limbs between two joints; none where both are at one place.

    A pixel is inside if an odd number of edges lie to the right of it in its row. Edges have their upper end, not their
    lower one, and are themselves not to the right. So of what an edge goes through exactly, the left and upper sides
    of the bar are inside, and the right and lower ones are not. The order of the operations is the released one, since
    rounding decides there.

    Args:
        x: (B, 18) float64, of the joints.
        y: likewise.
        start: index of one joint.
        end: index of the other.
        size: (H, W) of the image.
    """
    rows = torch.arange(size[0], device=x.device)
    columns = torch.arange(size[1], device=x.device)
    right, down = x[:, start] - x[:, end], y[:, start] - y[:, end]
    length = (right * right + down * down).sqrt()
    across_x, across_y = RADIUS * down / length, RADIUS * -right / length
    corners = [
        ((x[:, joint] + sign * across_x)[:, None], (y[:, joint] + sign * across_y)[:, None])
        for joint, sign in ((start, 1), (start, -1), (end, -1), (end, 1))
    ]
    inside = torch.zeros(len(x), *size, dtype=torch.bool, device=x.device)
    for (x0, y0), (x1, y1) in zip(corners, corners[-1:] + corners[:-1], strict=True):
        crossed = (y0 <= rows) != (y1 <= rows)  # (B, H)
        at = (x1 - x0) * (rows - y0) / (y1 - y0) + x0
        inside ^= crossed[..., None] & (columns < at[..., None])
    return inside


def _outer_sum(of_y: Tensor, of_x: Tensor) -> Tensor:
    """(B, H, W) at each pixel the sum of a value for its y (B, H) and one for its x (B, W)."""
    return of_y[:, :, None] + of_x[:, None, :]
