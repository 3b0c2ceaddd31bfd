"""Affine maps of body regions (Eq. 2).

Convention: from target pixels to source pixels, x then y, the centre of the top left pixel being (0, 0).
"""

from __future__ import annotations

import torch
from torch import Tensor

# The map of a region without transform: it reads outside of any image, so the result is zero.
NOWHERE = ((1.0, 0.0, 1e6), (0.0, 1.0, 1e6))


def fit_affine(target: Tensor, source: Tensor, weights: Tensor) -> Tensor:
    """Affine maps from target to source points by total least squares (Eq. 2).

    As in the released code: points are centred and scaled to a mean squared distance of 2, then the homogeneous
    system is solved for the direction of least residual. Maps with fewer than three points, or collinear target points,
    become `NOWHERE`.

    Args:
        target: (..., N, 2) points, x then y.
        source: (..., N, 2) the points that they come from.
        weights: (..., N) 1 for a point that counts, 0 for one that does not.

    Returns:
        (..., 2, 3) float64: source = A[:, :2] @ target + A[:, 2].
    """
    target, source, weights = target.double(), source.double(), weights.double()
    count = weights.sum(-1).clamp_min(1)
    q, to_q = _normalise(target, weights, count)
    p, to_p = _normalise(source, weights, count)

    # Two homogeneous equations a point, for the six coefficients and the common scale.
    zero = torch.zeros_like(weights)
    x_rows = torch.stack([q[..., 0], q[..., 1], weights, zero, zero, zero, -p[..., 0]], -1)
    y_rows = torch.stack([zero, zero, zero, q[..., 0], q[..., 1], weights, -p[..., 1]], -1)
    system = torch.cat([x_rows, y_rows], -2)
    least = torch.linalg.eigh(system.mT @ system)[1][..., 0]
    coefficients = least[..., :6] / torch.where(least[..., 6:].abs() < 1e-12, 1e-12, least[..., 6:])

    in_normalised = torch.zeros_like(to_q)
    in_normalised[..., :2, :] = coefficients.unflatten(-1, (2, 3))
    in_normalised[..., 2, 2] = 1
    affine = (torch.linalg.inv(to_p) @ in_normalised @ to_q)[..., :2, :]

    spread = (q * weights[..., None]).mT @ q
    collinear = torch.linalg.det(spread) <= 1e-9 * spread.diagonal(dim1=-2, dim2=-1).sum(-1) ** 2
    nowhere = torch.tensor(NOWHERE, dtype=affine.dtype, device=affine.device)
    return torch.where(((weights.sum(-1) < 3) | collinear)[..., None, None], nowhere, affine)


def _normalise(points: Tensor, weights: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """Points centred and scaled to a mean squared distance of 2, and the 3x3 matrix that does it."""
    weighted = points * weights[..., None]
    centre = weighted.sum(-2) / count[..., None]
    centred = (points - centre[..., None, :]) * weights[..., None]
    spread = ((centred**2).sum((-1, -2)) / count).sqrt().clamp_min(1e-9)
    scale = 2**0.5 / spread
    matrix = torch.zeros(*points.shape[:-2], 3, 3, dtype=points.dtype, device=points.device)
    matrix[..., 0, 0] = matrix[..., 1, 1] = scale
    matrix[..., :2, 2] = -scale[..., None] * centre
    matrix[..., 2, 2] = 1
    return centred * scale[..., None, None], matrix
