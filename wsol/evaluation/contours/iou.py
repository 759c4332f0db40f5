"""Intersection over union of boxes, and the best of it at every cut of a score map."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numba import njit

from wsol.evaluation.contours.grey_levels import LEVELS
from wsol.evaluation.contours.sweep import LivingBoxes, all_contour_boxes, largest_contour_boxes
from wsol.evaluation.threads import in_threads

Convention = Literal["inclusive", "halfopen"]
Contours = Literal["single", "all"]


def iou_matrix(a: np.ndarray, b: np.ndarray, convention: Convention = "halfopen") -> np.ndarray:
    """IoU of boxes ``a`` (n, 4) with ``b`` (m, 4), ``x0, y0, x1, y1``: float64 (n, m) in [0, 1].

    ``inclusive`` (wsolevaluation) takes the corners as pixels of the box, so sides are the difference
    plus one; ``halfopen`` takes them as its edges. Two boxes of no area have IoU 0.
    """
    a = np.asarray(a, np.float64).reshape(-1, 4)[:, None]
    b = np.asarray(b, np.float64).reshape(-1, 4)[None]
    one = 1.0 if convention == "inclusive" else 0.0
    shared = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]) + one
    shared = np.maximum(shared, 0).prod(axis=-1)
    union = (a[..., 2:] - a[..., :2] + one).prod(axis=-1) + (b[..., 2:] - b[..., :2] + one).prod(axis=-1)
    union -= shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def best_iou_per_cut_single(map_u8: np.ndarray, gt_boxes: np.ndarray, inclusive: bool) -> np.ndarray:
    """IoU of the largest contour's box with the true box it fits best, at each cut: float64 (256,).

    ``map_u8`` uint8 (H, W); ``gt_boxes`` (g, 4) in pixels of the map; 0 throughout where g is 0.
    ``inclusive`` is wsolevaluation's reading: boxes end at ``min(x + w, W - 1), min(y + h, H - 1)``,
    and where nothing is above the cut the box is (0, 0, 0, 0), which can meet a true box in the
    corner. Otherwise boxes are half-open and no box has IoU 0.
    """
    return best_iou_of_largest(largest_contour_boxes(map_u8), gt_boxes, map_u8.shape, inclusive)


def best_iou_per_cut_all(map_u8: np.ndarray, gt_boxes: np.ndarray, inclusive: bool) -> np.ndarray:
    """The best IoU of any contour's box with any true box, at each cut: float64 (256,).

    As `best_iou_per_cut_single` otherwise.
    """
    return best_iou_of_all(all_contour_boxes(map_u8), gt_boxes, map_u8.shape, inclusive)


def best_iou_of_largest(
    boxes: np.ndarray, gt_boxes: np.ndarray, size: tuple[int, ...], inclusive: bool
) -> np.ndarray:
    """`best_iou_per_cut_single` from the boxes (256, 4) of a map of ``size`` (H, W)."""
    boxes = boxes[: np.count_nonzero(boxes[:, 2])]  # up to the map's maximum there is always one
    cut = np.arange(len(boxes), dtype=np.int32)
    return _best_per_cut(boxes, cut, cut, _as_boxes(gt_boxes), size, inclusive)


def best_iou_of_all(
    boxes: LivingBoxes, gt_boxes: np.ndarray, size: tuple[int, ...], inclusive: bool
) -> np.ndarray:
    """`best_iou_per_cut_all` from what `all_contour_boxes` found on a map of ``size`` (H, W)."""
    return _best_per_cut(*boxes, _as_boxes(gt_boxes), size, inclusive)


def best_iou_per_cut(
    maps: Iterable[np.ndarray],
    gt_boxes: Iterable[np.ndarray],
    contours: Contours,
    inclusive: bool,
    threads: int = 1,
) -> np.ndarray:
    """The best IoU per cut of many maps: float64 (n, 256), in their order.

    ``maps`` are uint8 (H, W) of any sizes, taken as they come; ``gt_boxes`` (g, 4), one array a map.
    The kernels release the interpreter lock, so threads share the maps out.
    """
    best = best_iou_per_cut_single if contours == "single" else best_iou_per_cut_all
    pairs = zip(maps, gt_boxes, strict=True)
    rows = list(in_threads(lambda pair: best(*pair, inclusive), pairs, threads))
    return np.array(rows, np.float64).reshape(-1, LEVELS)


def _as_boxes(boxes: np.ndarray) -> np.ndarray:
    # A copy: read-only arrays would be a type of their own to compile for.
    return np.array(boxes, np.float64, order="C").reshape(-1, 4)


@njit(nogil=True, cache=True)
def _best_per_cut(boxes, first_cut, last_cut, gt_boxes, size, inclusive):
    """The largest IoU at each cut over boxes that each live from ``first_cut`` to ``last_cut``."""
    height, width = size
    best = np.zeros(LEVELS)
    if inclusive:
        top = 0 if last_cut.size == 0 else last_cut.max() + 1
        best[top:] = _best_iou(0, 0, 0, 0, gt_boxes, 1.0)  # the box of no contour
    for i in range(boxes.shape[0]):
        x0, y0, x1, y1 = boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3]
        if inclusive:
            iou = _best_iou(x0, y0, min(x1, width - 1), min(y1, height - 1), gt_boxes, 1.0)
        else:
            iou = _best_iou(x0, y0, x1, y1, gt_boxes, 0.0)
        for cut in range(first_cut[i], last_cut[i] + 1):
            if iou > best[cut]:
                best[cut] = iou
    return best


@njit(nogil=True, cache=True)
def _best_iou(x0, y0, x1, y1, gt_boxes, one):
    best = 0.0
    area = (x1 - x0 + one) * (y1 - y0 + one)
    for k in range(gt_boxes.shape[0]):
        gx0, gy0, gx1, gy1 = gt_boxes[k, 0], gt_boxes[k, 1], gt_boxes[k, 2], gt_boxes[k, 3]
        width = min(x1, gx1) - max(x0, gx0) + one
        height = min(y1, gy1) - max(y0, gy0) + one
        if width > 0 and height > 0:
            shared = width * height
            best = max(best, shared / (area + (gx1 - gx0 + one) * (gy1 - gy0 + one) - shared))
    return best
