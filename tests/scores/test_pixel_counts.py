"""Pixel metrics from counts, against sums over pixels that were spread out again."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from wsol.scores.pixel_counts import average_precision, pooled_iou, right_pixels

# Columns: below every threshold; scores in [0, .5), [.5, 1), of 1, and of 2, which no map has.
POSITIVES = np.array([2, 1, 5, 3, 0])
NEGATIVES = np.array([6, 4, 2, 1, 0])


def test_iou_and_right_pixels_by_hand():
    # At 0: 9 hits, 7 false alarms, 2 missed. At 0.5: 8 hits, 3 false alarms, 3 missed.
    np.testing.assert_allclose(pooled_iou(POSITIVES, NEGATIVES), [100 * 9 / 18, 100 * 8 / 14])
    np.testing.assert_allclose(right_pixels(POSITIVES, NEGATIVES), [100 * 15 / 24, 100 * 18 / 24])


def test_average_precision_is_scikit_learns():
    scores = np.repeat([-1, 0, 0.5, 1, 2], POSITIVES).tolist()
    scores += np.repeat([-1, 0, 0.5, 1, 2], NEGATIVES).tolist()
    true = [1] * POSITIVES.sum() + [0] * NEGATIVES.sum()
    # wsolevaluation leaves out the pixels below every threshold and the step from recall 0.
    by_sklearn = 100 * average_precision_score(true, scores)
    below = 100 * (2 / 11) * (11 / 24)
    assert average_precision(POSITIVES, NEGATIVES) == pytest.approx(by_sklearn - below)


def test_without_foreground_there_is_no_iou():
    assert np.isnan(pooled_iou(0 * POSITIVES, NEGATIVES)).all()
    assert np.isnan(average_precision(0 * POSITIVES, NEGATIVES))
