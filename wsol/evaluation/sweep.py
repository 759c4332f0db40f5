"""The threshold sweep: a quantised map's boxes at every cut, from one pass over its pixels.

wsolevaluation thresholds an 8-bit map at ``int(threshold * maximum)`` and looks for contours anew each
time. Only 256 cuts exist whatever the grid, and components only ever grow as the cut falls, so
one union-find from bright to dark meets them all.
"""

from __future__ import annotations

import numpy as np

from wsol.errors import UserError
from wsol.evaluation.all_contours import all_contour_boxes
from wsol.evaluation.grey_levels import LEVELS
from wsol.evaluation.largest_contour import largest_contour_boxes

__all__ = ["LEVELS", "all_contour_boxes", "cut_of", "cuts", "largest_contour_boxes", "thresholds"]


def thresholds(step: float = 0.001) -> np.ndarray:
    """The grid 0, step, 2 step, ... below 1, float64, to the last bit the reference's."""
    if not 0 < step < 1:
        raise UserError(f"threshold step is {step}: give a number between 0 and 1, such as 0.001")
    return np.arange(0, 1, step)


def cut_of(threshold: float, top: int) -> int:
    """The cut of one threshold on a map whose largest 8-bit value is ``top``: above it is foreground."""
    return int(threshold * top)


def cuts(thresholds: np.ndarray, top: int | np.ndarray) -> np.ndarray:
    """The cuts (..., T) int64 of thresholds (T,) on maps with maxima ``top`` (...).

    ``best_iou[cuts(thresholds, top)]`` turns IoU per cut into IoU per threshold.
    """
    return (np.asarray(top, np.float64)[..., None] * thresholds).astype(np.int64)
