"""The contours of a map matched one to one with the true boxes of an image, at every cut."""

from __future__ import annotations

import numpy as np
from numba import njit

from wsol.evaluation.contours.grey_levels import LEVELS
from wsol.evaluation.contours.iou import Convention, iou_matrix
from wsol.evaluation.contours.sweep import component_boxes


def one_to_one(
    map_u8: np.ndarray, true_boxes: np.ndarray, iou: float, convention: Convention = "halfopen"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How many outer contours there are at each cut, and how many of them find a true box.

    ``map_u8`` uint8 (H, W); ``true_boxes`` (g, 4) in pixels of the map. At a cut the contours come by
    their largest value, the brightest first, of equals the one that fits a true box best; each takes the
    true box that is still free and that it fits best, with an IoU of at least ``iou``. That is the rule
    by which detections are matched (Everingham et al., IJCV 2010), our reading for contours. Borders of
    holes are no contours here: a hole is no object.

    Returns:
        contours (256,) and hits (256,) int64; and for each living contour a row (m, 4) int32 of the
        first and the last cut at which it is as it is, its largest value, and whether it hits there; of
        one that hits at some cuts alone there are several rows.
    """
    boxes, first, last, brightest = component_boxes(map_u8)
    overlap = _overlap(boxes, true_boxes, map_u8.shape, convention)
    best = overlap.max(axis=1, initial=0.0)
    order = np.lexsort((-best, -brightest))
    return _matched(
        order, first.astype(np.int64), last.astype(np.int64), brightest.astype(np.int64), overlap, iou
    )


def given_one_to_one(
    boxes: np.ndarray,
    true_boxes: np.ndarray,
    size: tuple[int, ...],
    iou: float,
    convention: Convention = "halfopen",
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`one_to_one` of half-open ``boxes`` (n, 4) that were given, best first.

    ``size`` (H, W) is that of their frame. They are there at every cut that a threshold makes; how
    bright they are is not told, and each counts as 255.
    """
    count = len(boxes)
    overlap = _overlap(np.reshape(boxes, (-1, 4)), true_boxes, size, convention)
    last = np.full(count, LEVELS - 2)
    return _matched(np.arange(count), np.zeros(count, np.int64), last, last + 1, overlap, iou)


def _overlap(
    boxes: np.ndarray, true_boxes: np.ndarray, size: tuple[int, ...], convention: Convention
) -> np.ndarray:
    """IoU (n, g); inclusive boxes end at the last pixel of the frame at most, as in wsolevaluation."""
    if convention == "inclusive":
        height, width = size
        boxes = np.minimum(boxes, np.array([width, height, width - 1, height - 1]))
    return iou_matrix(boxes, true_boxes, convention)


@njit(nogil=True, cache=True)
def _matched(order, first, last, brightest, overlap, iou):
    contours = np.zeros(LEVELS, np.int64)
    hits = np.zeros(LEVELS, np.int64)
    rows = np.empty((order.size + 1, 4), np.int32)
    n_rows = 0
    taken = np.zeros(overlap.shape[1], np.bool_)
    open_row = np.full(order.size, -1, np.int64)
    for cut in range(LEVELS - 1):
        taken[:] = False
        for one in order:
            if first[one] > cut or last[one] < cut:
                continue
            contours[cut] += 1
            chosen, fit = -1, iou
            for true in range(overlap.shape[1]):
                better = overlap[one, true] > fit or (chosen < 0 and overlap[one, true] == fit)
                if not taken[true] and better:
                    chosen, fit = true, overlap[one, true]
            if chosen >= 0:
                taken[chosen] = True
                hits[cut] += 1
            row = open_row[one]
            if row < 0 or (rows[row, 3] == 1) != (chosen >= 0):
                if n_rows == rows.shape[0]:
                    larger = np.empty((2 * n_rows, 4), np.int32)
                    larger[:n_rows] = rows
                    rows = larger
                rows[n_rows, 0] = cut
                rows[n_rows, 2] = brightest[one]
                rows[n_rows, 3] = 1 if chosen >= 0 else 0
                open_row[one] = row = n_rows
                n_rows += 1
            rows[row, 1] = cut
    return contours, hits, rows[:n_rows]
