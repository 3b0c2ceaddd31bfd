"""Affine maps of body regions (Eq. 2), by total least squares as released, or by ordinary ones as in the text.

Convention: a map takes target pixels to source pixels, which is the direction that the warp reads in. Coordinates are x
then y; the centre of the top left pixel is (0, 0).

Points on a line determine no map. If those of the target do, any map would do across the line; if those of the source
do, the best map reads that one line for the whole region, which smears it. Such regions are empty, as those without
points. The two singular values of the points around their mean tell: on a line the smaller is zero but for rounding.
"""

from __future__ import annotations

import torch
from torch import Tensor

from augment.conventions import Convention

# Stands for the map of a region that has no points to fit one to. It shifts by a million pixels, so that every pixel
# reads outside of the source image, where the warp gives zero.
NOWHERE = ((1.0, 0.0, 1e6), (0.0, 1.0, 1e6))
# Square of the ratio of the smaller singular value to the larger, up to which points are on a line: a ratio of 3e-5, a
# thousandth of a pixel across a torso of thirty. Points on a line have up to 1e-7 after joints are rounded to single
# precision; four whole pixels that are not on a line have at least 7e-5 within 100 pixels.
ON_A_LINE = 1e-9


def fit_affine(target: Tensor, source: Tensor, weights: Tensor, convention: Convention = "released") -> Tensor:
    """Affine maps from target to source points by least squares (Eq. 2).

    Fewer than three points, or points on a line in either image, determine no map, nor do points whose best map folds
    the image onto a line: the result is `NOWHERE`, so that all results are invertible. Where points fit exactly, as the
    corners of limbs do, all conventions give the same map.

    Args:
        target: (..., N, 2) points, x then y.
        source: (..., N, 2) the points that they correspond to.
        weights: (..., N) 1 for a point that counts, 0 for one that does not.
        convention: total least squares, or (`paper`) the inverse of the map from source to target points that has the
            least squared error.

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

    between_normalised = torch.zeros_like(normalise_q)
    between_normalised[..., 2, 2] = 1
    if convention == "paper":
        between_normalised[..., :2, :2] = _ordinary_least_squares(p, q)
    else:
        between_normalised[..., :2, :] = _total_least_squares(q, p, weights)
    folds = _on_a_line(between_normalised[..., :2, :2])
    if convention == "paper":
        identity = torch.eye(3, dtype=q.dtype, device=q.device)
        between_normalised = torch.linalg.inv(torch.where(folds[..., None, None], identity, between_normalised))
    affine = (torch.linalg.inv(normalise_p) @ between_normalised @ normalise_q)[..., :2, :]
    degenerate = (weights.sum(-1) < 3) | _on_a_line(q) | _on_a_line(p) | folds
    nowhere = torch.tensor(NOWHERE, dtype=affine.dtype, device=affine.device)
    return torch.where(degenerate[..., None, None], nowhere, affine)


def _total_least_squares(q: Tensor, p: Tensor, weights: Tensor) -> Tensor:
    """(..., 2, 3) maps from q to p, normalised points (..., N, 2), as scikit-image fits them for the released code.

    Each pair of points gives two equations that are homogeneous in the six coefficients and a common scale; the unit
    vector with the smallest residual is their solution.
    """
    zero = torch.zeros_like(weights)
    x_equations = torch.stack([q[..., 0], q[..., 1], weights, zero, zero, zero, -p[..., 0]], -1)
    y_equations = torch.stack([zero, zero, zero, q[..., 0], q[..., 1], weights, -p[..., 1]], -1)
    system = torch.cat([x_equations, y_equations], -2)
    # The eigenvector of the smallest eigenvalue, which comes first.
    solution = torch.linalg.eigh(system.mT @ system)[1][..., 0]
    coefficients = solution[..., :6] / torch.where(solution[..., 6:].abs() < 1e-12, 1e-12, solution[..., 6:])
    return coefficients.unflatten(-1, (2, 3))


def limit_stretch(affine: Tensor, centre: Tensor, limit: float) -> Tensor:
    """Maps that stretch and shrink by a factor of at most `limit` in any direction, and agree at one point each.

    Nearly collinear points, as those of a torso seen from the side, have a map that reads nearly the same line of the
    source for a whole region. Its singular values are brought into 1 / limit .. limit; its two directions stay.

    Args:
        affine: (..., 2, 3) target to source.
        centre: (..., 2) point in the target, x then y, whose source point stays.
        limit: from 1.

    Example:
        >>> import torch
        >>> from augment.geometry.affine import limit_stretch
        >>> thin = torch.tensor([[0.1, 0, 20], [0, 1.5, 0]]).double()  # reads a tenth of the source's width
        >>> limit_stretch(thin, torch.tensor([40.0, 50]).double(), limit=2.0)
        tensor([[0.5000, 0.0000, 4.0000],
                [0.0000, 1.5000, 0.0000]], dtype=torch.float64)
    """
    linear, shift = affine[..., :2], affine[..., 2]
    left, values, right = torch.linalg.svd(linear)
    limited = left * values.clamp(1 / limit, limit)[..., None, :] @ right
    limited = torch.where(((values > limit) | (values < 1 / limit)).any(-1)[..., None, None], limited, linear)
    shift = shift + ((linear - limited) @ centre[..., None])[..., 0]
    return torch.cat([limited, shift[..., None]], -1)


def _ordinary_least_squares(p: Tensor, q: Tensor) -> Tensor:
    """(..., 2, 2) linear maps from p to q, centred points (..., N, 2), with the least squared error."""
    return q.mT @ torch.linalg.pinv(p).mT


def _on_a_line(rows: Tensor) -> Tensor:
    """(...) bool, whether vectors (..., N, 2) span no more than a line: their singular values s1 >= s2 have s2 << s1.

    Of the vectors' scatter matrix the determinant is (s1 s2)^2, the trace s1^2 + s2^2.
    """
    scatter = rows.mT @ rows
    return torch.linalg.det(scatter) <= ON_A_LINE * scatter.diagonal(dim1=-2, dim2=-1).sum(-1) ** 2


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
