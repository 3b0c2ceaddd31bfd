"""Smooth random textures for surfaces that are not of one colour: cloth, ground, leaves."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 256  # of the square lookup table; a power of two, so that & wraps an index around
OCTAVES = (8, 16, 32, 64, 128)  # of the sum: number of random values along a side
FALL = 0.55  # amplitude of an octave relative to the next coarser one


@cache
def _table(kind: int) -> NDArray[np.floating]:
    """One period of the noise, sampled on a grid and flattened."""
    random = np.random.default_rng(kind)
    total = np.zeros((SIDE, SIDE), np.float32)
    for number, cells in enumerate(OCTAVES):
        grid = np.pad(random.random((cells, cells), np.float32), ((0, 1), (0, 1)), "wrap")
        fine = cv2.resize(grid, (SIDE + 1, SIDE + 1), interpolation=cv2.INTER_CUBIC)[:SIDE, :SIDE]
        total += FALL**number * fine
    return ((total - total.mean()) / total.std()).ravel()


def noise(u: NDArray[np.floating], v: NDArray[np.floating], kind: int = 0) -> NDArray[np.floating]:
    """Noise of mean 0 and standard deviation 1 at the points (u, v), periodic in both with period 1.

    Its coarsest features are as wide as an eighth of the period. Different kinds are independent of each other.
    """
    table = _table(kind)
    x, y = np.asarray(u, np.float32) * SIDE, np.asarray(v, np.float32) * SIDE
    left, top = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
    right_share, lower_share = x - left, y - top
    # Bilinear interpolation between the four neighbours on the grid.
    x0, x1 = left & SIDE - 1, left + 1 & SIDE - 1
    y0, y1 = (top & SIDE - 1) * SIDE, (top + 1 & SIDE - 1) * SIDE
    upper = table[y0 + x0] * (1 - right_share) + table[y0 + x1] * right_share
    lower = table[y1 + x0] * (1 - right_share) + table[y1 + x1] * right_share
    return upper * (1 - lower_share) + lower * lower_share


def cells(u: NDArray[np.floating], v: NDArray[np.floating]) -> NDArray[np.floating]:
    """A random number in [0, 1) for each unit square, looked up at (u, v): the shades of single stones or panes."""
    mixed = np.floor(u).astype(np.int64) * 73856093 ^ np.floor(v).astype(np.int64) * 19349663
    return ((mixed * 2654435761 & 0xFFFFFFFF) >> 8).astype(np.float32) / 2**24
