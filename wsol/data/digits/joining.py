"""Cells of a thing moved together until the ink of each meets that of the one before it.

A slim digit keeps margins in its cell, and the ink of two digits need not lie in one row. Without this,
two parts of one object could be two components, and an ideal map of them would lose it its box.
"""

from __future__ import annotations

import numpy as np

from wsol.data.digits.ink import Ink

NEVER = 2**20  # further than any image is wide


class Joining:
    """The cells of one thing in each of ``n`` images, from left to right."""

    def __init__(self, n: int) -> None:
        self._moved = np.zeros(n, np.int64)
        self._last: np.ndarray | None = None

    def left(self, left: np.ndarray, ink: Ink) -> np.ndarray:
        """Where the next cell begins, ``left`` (n,) before anything was moved.

        It goes so far to the left that a pixel of its digit is a neighbour, by a corner or an edge, of a
        pixel of the digit before; no row of the two crosses.
        """
        first, last = _ends(ink, left)
        if self._last is not None:
            gap = _smallest_gap(self._last, first - self._moved[:, None])
            self._moved += np.where(gap < NEVER // 2, np.maximum(gap - 1, 0), 0)
        self._last = last - self._moved[:, None]
        return left - self._moved


def _ends(ink: Ink, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last column (n, height) of each row's visible ink, `NEVER` where none is."""
    shape = len(left), ink.height, ink.width
    seen = np.zeros(shape, bool)
    seen[ink.row, ink.y, ink.x] = ink.visible
    there = seen.any(axis=2)
    first = left[:, None] + seen.argmax(axis=2)
    last = left[:, None] + shape[2] - 1 - seen[:, :, ::-1].argmax(axis=2)
    return np.where(there, first, NEVER), np.where(there, last, -NEVER)


def _smallest_gap(last: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Columns (n,) from ``last`` to ``first`` (n, height), the least over rows that are neighbours."""
    rows = last.shape[1]
    gaps = [
        (first[:, max(0, step) : rows + step] - last[:, max(0, -step) : rows - step]).min(axis=1)
        for step in (-1, 0, 1)
        if rows > abs(step)
    ]
    return np.min(gaps, axis=0)
