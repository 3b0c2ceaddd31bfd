"""Affine maps of body regions (Eq. 2).

Convention: a map takes target pixels to source pixels, which is the direction that the warp reads in. Coordinates are x
then y; the centre of the top left pixel is (0, 0).
"""

from __future__ import annotations

import torch
from torch import Tensor

# Stands for the map of a region that has no points to fit one to. It shifts by a million pixels, so that every pixel
# reads outside of the source image, where the warp gives zero.
NOWHERE = ((1.0, 0.0, 1e6), (0.0, 1.0, 1e6))


def fit_affine(target: Tensor, source: Tensor, weights: Tensor) -> Tensor:
    """Affine maps from target to source points by total least squares (Eq. 2).

    As in the released code, which calls scikit-image: both point sets are centred and scaled to a mean squared distance
    of 2 from their centre; each pair of points gives two equations that are homogeneous in the six coefficients and a
    common scale; the unit vector with the smallest residual is their solution. Fewer than three points, or collinear
    target points, determine no map: the result is `NOWHERE`.

    Args:
        target: (..., N, 2) points, x then y.
        source: (..., N, 2) the points that they correspond to.
        weights: (..., N) 1 for a point that counts, 0 for one that does not.

    Returns:
        (..., 2, 3) float64: source = A[:, :2] @ target + A[:, 2].

    Example:
        >>> import torch
        >>> from augment.geometry.affine import fit_affine
        >>> target = torch.tensor([[0.0, 0], [4, 0], [4, 8], [0, 8]])
        >>> source = 2 * target + torch.tensor([3.0, -1.0])  # twice as large, and shifted
        >>> affine = fit_affine(target, source, torch.ones(4))
        >>> point = torch.tensor([1.0, 1, 1]).double()  # x = y = 1 in the target
        >>> (affine @ point).round(decimals=3)
        tensor([5., 1.], dtype=torch.float64)
    """
    target, source, weights = target.double(), source.double(), weights.double()
    count = weights.sum(-1).clamp_min(1)
    q, normalise_q = _normalise(target, weights, count)
    p, normalise_p = _normalise(source, weights, count)

    # Two homogeneous equations a point, for the six coefficients and the common scale.
    zero = torch.zeros_like(weights)
    x_equations = torch.stack([q[..., 0], q[..., 1], weights, zero, zero, zero, -p[..., 0]], -1)
    y_equations = torch.stack([zero, zero, zero, q[..., 0], q[..., 1], weights, -p[..., 1]], -1)
    system = torch.cat([x_equations, y_equations], -2)
    # The eigenvector of the smallest eigenvalue, which comes first.
    solution = torch.linalg.eigh(system.mT @ system)[1][..., 0]
    coefficients = solution[..., :6] / torch.where(solution[..., 6:].abs() < 1e-12, 1e-12, solution[..., 6:])

    between_normalised = torch.zeros_like(normalise_q)
    between_normalised[..., :2, :] = coefficients.unflatten(-1, (2, 3))
    between_normalised[..., 2, 2] = 1
    affine = (torch.linalg.inv(normalise_p) @ between_normalised @ normalise_q)[..., :2, :]

    # Points are collinear where their scatter matrix is singular.
    scatter = (q * weights[..., None]).mT @ q
    collinear = torch.linalg.det(scatter) <= 1e-9 * scatter.diagonal(dim1=-2, dim2=-1).sum(-1) ** 2
    nowhere = torch.tensor(NOWHERE, dtype=affine.dtype, device=affine.device)
    return torch.where(((weights.sum(-1) < 3) | collinear)[..., None, None], nowhere, affine)


def _normalise(points: Tensor, weights: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """The points (..., N, 2), centred and scaled to a mean squared distance of 2, and the (..., 3, 3) map that does so.

    Points of weight 0 become (0, 0).
    """
    weighted = points * weights[..., None]
    centre = weighted.sum(-2) / count[..., None]
    centred = (points - centre[..., None, :]) * weights[..., None]
    deviation = ((centred**2).sum((-1, -2)) / count).sqrt().clamp_min(1e-9)
    scale = 2**0.5 / deviation
    matrix = torch.zeros(*points.shape[:-2], 3, 3, dtype=points.dtype, device=points.device)
    matrix[..., 0, 0] = matrix[..., 1, 1] = scale
    matrix[..., :2, 2] = -scale[..., None] * centre
    matrix[..., 2, 2] = 1
    return centred * scale[..., None, None], matrix
