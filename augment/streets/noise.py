"""Smooth noise for everything that is not one colour: cloth, ground, leaves."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 256  # of the table; a power of two, so that wrapping is a mask
OCTAVES = (8, 16, 32, 64, 128)
FALL = 0.55  # amplitude of an octave relative to the coarser one


@cache
def _table(kind: int) -> NDArray[np.floating]:
    random = np.random.default_rng(kind)
    total = np.zeros((SIDE, SIDE), np.float32)
    for number, cells in enumerate(OCTAVES):
        grid = np.pad(random.random((cells, cells), np.float32), ((0, 1), (0, 1)), "wrap")
        fine = cv2.resize(grid, (SIDE + 1, SIDE + 1), interpolation=cv2.INTER_CUBIC)[:SIDE, :SIDE]
        total += FALL**number * fine
    return ((total - total.mean()) / total.std()).ravel()


def noise(u: NDArray[np.floating], v: NDArray[np.floating], kind: int = 0) -> NDArray[np.floating]:
    """Noise of mean 0 and standard deviation 1 at the points (u, v); it repeats with period 1.

    The coarsest lumps are an eighth of the period. Different kinds are independent fields.
    """
    table = _table(kind)
    x, y = np.asarray(u, np.float32) * SIDE, np.asarray(v, np.float32) * SIDE
    column, row = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
    right, low = x - column, y - row
    column0, column1 = column & SIDE - 1, column + 1 & SIDE - 1
    row0, row1 = (row & SIDE - 1) * SIDE, (row + 1 & SIDE - 1) * SIDE
    upper = table[row0 + column0] * (1 - right) + table[row0 + column1] * right
    lower = table[row1 + column0] * (1 - right) + table[row1 + column1] * right
    return upper * (1 - low) + lower * low


def cells(u: NDArray[np.floating], v: NDArray[np.floating]) -> NDArray[np.floating]:
    """One number in [0, 1) for each unit square that (u, v) lies in: shades of single stones or leaves."""
    mixed = np.floor(u).astype(np.int64) * 73856093 ^ np.floor(v).astype(np.int64) * 19349663
    return ((mixed * 2654435761 & 0xFFFFFFFF) >> 8).astype(np.float32) / 2**24
