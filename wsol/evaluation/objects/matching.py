"""One-to-one matching of an image's predictions with its true objects, at levels of IoU."""

from __future__ import annotations

import numpy as np
from numba import njit

from wsol.evaluation.objects.image_objects import ImageObjects

# COCO's ten levels, and that of the field's loosest figure. COCO writes them so, to the last bit.
COCO_LEVELS = np.linspace(0.5, 0.95, 10)
SCORED_LEVELS = np.concatenate([[0.3], COCO_LEVELS])
# Without scores there is no AP, and these are all that is told.
LEVELS = (0.3, 0.5, 0.7)
TABLE_LEVEL = 0.5  # at which the table of objects tells what was matched
NEAR_ONE = 1 - 1e-10


def match(
    predicted: ImageObjects, true: ImageObjects, iou: np.ndarray, levels: np.ndarray
) -> np.ndarray:
    """Which true object each prediction is matched with at each of ``levels`` (L,): int32 (L, n).

    -1 is none; ``iou`` (n, m) is `pair_iou`'s. Only objects of one class are matched; an ignored one of
    class -1 takes predictions of any. A prediction that finds no free object but lies in an ignored one
    is matched with that, as are any number of others: neither counts.

    With scores as COCO does (Lin et al., ECCV 2014), but for its ranges of area and its limit of 100
    predictions of an image and class: by falling score each prediction takes the free
    true object with the highest IoU, at or above the level; of equal scores the first comes first, of
    equal IoU the last is taken. Without scores there is no order to go by: as many pairs as possible
    are made, and of all such matchings that with the largest sum of IoU is taken (Kuhn, 1955).
    """
    if not iou.size:
        return np.full((len(levels), len(predicted)), -1, np.int32)
    allowed = np.where(same_class(predicted, true), iou, -1.0)
    if predicted.scores is None:
        return np.stack([_optimal(allowed, true.ignore, level) for level in levels])
    order = np.argsort(-predicted.scores, kind="stable")
    return _by_score(allowed, order, true.ignore, np.minimum(levels, NEAR_ONE))


def same_class(predicted: ImageObjects, true: ImageObjects) -> np.ndarray:
    """(n, m) bool: which pairs may be matched."""
    return (predicted.classes[:, None] == true.classes[None]) | (true.classes < 0)[None]


def _optimal(iou: np.ndarray, ignore: np.ndarray, level: float) -> np.ndarray:
    fits = iou >= min(level, NEAR_ONE)
    pairs = fits & ~ignore
    rows, columns = np.flatnonzero(pairs.any(axis=1)), np.flatnonzero(pairs.any(axis=0))
    found = np.full(len(iou), -1, np.int32)
    if pairs.sum() == len(rows) == len(columns):  # nothing to choose
        found[rows] = pairs[rows].argmax(axis=1)
    elif len(rows):
        from scipy.optimize import linear_sum_assignment

        few = np.ix_(rows, columns)
        # One pair more outweighs any sum of IoU.
        gain = np.where(pairs[few], iou[few] + min(len(rows), len(columns)) + 1, 0.0)
        for row, column in zip(*linear_sum_assignment(gain, maximize=True), strict=True):
            if gain[row, column]:
                found[rows[row]] = columns[column]
    void = fits & ignore
    absorbed = (found < 0) & void.any(axis=1)
    found[absorbed] = np.where(void, iou, -1.0)[absorbed].argmax(axis=1)
    return found


@njit(nogil=True, cache=True)
def _by_score(iou, order, ignore, levels):
    count, objects = iou.shape
    found = np.full((levels.shape[0], count), -1, np.int32)
    for place in range(levels.shape[0]):
        free = ~ignore
        for row in order:
            best, chosen = levels[place], -1
            for column in range(objects):
                if free[column] and iou[row, column] >= best:
                    best, chosen = iou[row, column], column
            if chosen >= 0:
                free[chosen] = False
            else:
                for column in range(objects):
                    if ignore[column] and iou[row, column] >= best:
                        best, chosen = iou[row, column], column
            found[place, row] = chosen
    return found
