"""AP of ranked predictions, for any weighting of the images."""

from __future__ import annotations

import numpy as np
from numba import njit

from wsol.evaluation.objects.tally import Tallied

# Recall is read at 0, 0.01 ... 1 (COCO's).
RECALLS = np.linspace(0.0, 1.0, 101)


class Ranking:
    """The predictions of each of ``groups`` by falling score; of equal scores the first comes first.

    ``group_of`` (D,) and ``true_group_of`` (G,) say the group of each prediction and true object: their
    classes, or one group for all.
    """

    def __init__(
        self, tallied: Tallied, group_of: np.ndarray, true_group_of: np.ndarray, groups: int, levels: int
    ) -> None:
        order = np.lexsort((-tallied.scores, group_of))
        order = order[tallied.void[order] != (1 << levels) - 1]  # what counts at no level
        self._image = tallied.image[order]
        self._hit, self._void = tallied.hit[order], tallied.void[order]
        self._starts = np.searchsorted(group_of[order], np.arange(groups + 1))
        self._true_group, self._true_image = true_group_of, tallied.true_image
        self._levels, self.groups = levels, groups

    def average_precision(self, weights: np.ndarray) -> np.ndarray:
        """AP (groups, L) in [0, 1] where image i counts ``weights[i]`` times; NaN without true objects.

        COCO's (Lin et al., ECCV 2014; the interpolation is Pascal VOC's, Everingham et al., 2010): the
        mean over 101 recalls of the best precision at that recall or a higher one.
        """
        weights = np.ascontiguousarray(weights, np.float64)
        objects = np.bincount(
            self._true_group, weights[self._true_image], minlength=len(self._starts) - 1
        )
        return _average_precision(
            self._image, self._hit, self._void, self._starts, objects, weights, self._levels, RECALLS
        )


@njit(nogil=True, cache=True)
def _average_precision(image, hit, void, starts, objects, weights, levels, recalls):
    groups = starts.shape[0] - 1
    result = np.full((groups, levels), np.nan)
    longest = 0
    for group in range(groups):
        longest = max(longest, starts[group + 1] - starts[group])
    recall, precision = np.empty(longest), np.empty(longest)
    for group in range(groups):
        if objects[group] <= 0:
            continue
        for level in range(levels):
            right, wrong, points = 0.0, 0.0, 0
            for row in range(starts[group], starts[group + 1]):
                if (void[row] >> level) & 1:
                    continue
                weight = weights[image[row]]
                if (hit[row] >> level) & 1:
                    if weight > 0:
                        right += weight
                        recall[points] = right / objects[group]
                        precision[points] = right / (right + wrong)
                        points += 1
                else:
                    wrong += weight
            best, total, point = 0.0, 0.0, points - 1
            for place in range(recalls.shape[0] - 1, -1, -1):
                while point >= 0 and recall[point] >= recalls[place]:
                    best = max(best, precision[point])
                    point -= 1
                total += best
            result[group, level] = total / recalls.shape[0]
    return result
