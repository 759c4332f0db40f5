"""The threshold grid, and the cuts of an 8-bit map that its thresholds make."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from wsol.errors import UserError

# The largest value of a normalised 8-bit map, if it is not constant.
TOP = 255
# A finer grid is not spelled out: of its thresholds those that cut such maps alike are one.
FINEST_SPELLED = 1e-4
# The numbers of a grid's thresholds must be whole numbers that float64 holds with digits to spare.
FINEST = 1e-12


def thresholds(step: float = 0.001) -> np.ndarray:
    """The grid 0, step, 2 step, ... below 1, float64, to the last bit the reference's.

    Where the step is below ``FINEST_SPELLED``, only the lowest threshold of each of the 256 cuts: boxes
    at all others are the same, and of equals the lowest is chosen. ``UserError`` where it is no step.
    """
    if not FINEST <= step < 1:
        raise UserError(f"threshold step {step} is not in [{FINEST:g}, 1): give one such as 0.001")
    return np.arange(0, 1, step) if step >= FINEST_SPELLED else lowest_of_cuts(step).copy()


@lru_cache(maxsize=8)
def lowest_of_cuts(step: float) -> np.ndarray:
    """Of the grid of ``step`` the lowest threshold of each cut of a map whose maximum is `TOP`."""
    cut = np.arange(TOP + 1)[:, None]
    # The quotient may be off by its rounding, and the product that decides is rounded too.
    near = np.ceil(cut / (TOP * step)) + np.arange(-2, 3)
    near = near.clip(0, math.ceil(1 / step) - 1)
    reached = near * step * TOP >= cut
    lowest = near[np.arange(len(cut)), reached.argmax(axis=1)][reached.any(axis=1)]
    return np.unique(lowest) * step


def cut_of(threshold: float, top: int) -> int:
    """The cut of one threshold on a map whose largest 8-bit value is ``top``: above it is foreground."""
    return int(threshold * top)


def columns_at(grid: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """The places (C,) of thresholds in the ``grid`` (T,); of those off the grid, the next above."""
    return np.minimum(np.searchsorted(grid, thresholds - 1e-9), len(grid) - 1)


def cuts(thresholds: np.ndarray, top: int | np.ndarray) -> np.ndarray:
    """The cuts (..., T) int64 of thresholds (T,) on maps with maxima ``top`` (...).

    ``best_iou[cuts(thresholds, top)]`` turns IoU per cut into IoU per threshold.
    """
    return (np.asarray(top, np.float64)[..., None] * thresholds).astype(np.int64)


@dataclass(frozen=True)
class Cuts:
    """How thresholds cut the 8-bit maps of images.

    ``thresholds`` (C,); ``of`` (U, C): the cuts for each of U maxima; ``maximum`` (n,): which of the
    maxima each image has.
    """

    thresholds: np.ndarray
    of: np.ndarray
    maximum: np.ndarray

    @classmethod
    def of_grid(cls, thresholds: np.ndarray, top: np.ndarray) -> Cuts:
        """Of the grid ``thresholds`` (T,) on images whose maxima are ``top`` (n,) uint8."""
        tops, maximum = np.unique(top, return_inverse=True)
        return cls(thresholds, cuts(thresholds, tops), maximum)

    def distinct(self) -> Cuts:
        """Of thresholds that cut every map alike only the lowest: a grid of 1,000 leaves 255."""
        new = np.ones(len(self.thresholds), bool)
        new[1:] = (np.diff(self.of, axis=1) != 0).any(axis=0)
        return Cuts(self.thresholds[new], self.of[:, new], self.maximum)

    def take(self, codes: np.ndarray) -> np.ndarray:
        """Values (n, 256) per cut as values (n, C) per threshold."""
        if len(self.of) == 1:
            return codes[:, self.of[0]]
        return np.take_along_axis(codes, self.of[self.maximum], axis=1)
