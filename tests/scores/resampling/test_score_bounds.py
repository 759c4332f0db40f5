"""Bounds of shares against scipy's Wilson interval, and what few or perfect images allow."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from wsol.evaluation.overlap import totals
from wsol.scores.resampling.interval import interval
from wsol.scores.resampling.replicates import Replicates
from wsol.scores.resampling.score_bounds import score_bounds
from wsol.scores.resampling.weights import resample_weights


def draws_of(scores):
    """Bootstrap means of ``scores`` (n,) in [0, 1], in percent."""
    weights = np.concatenate(list(resample_weights(len(scores), 4000)))
    return 100 * (weights @ scores) / len(scores)


@pytest.mark.parametrize(("right", "images"), [(3, 3), (0, 5), (99, 100), (1, 250), (60, 100)])
def test_of_images_right_or_wrong_they_are_wilsons(right, images):
    scores = np.repeat([1.0, 0.0], [right, images - right])
    found = score_bounds(100 * right / images, draws_of(scores), images, 0.95)
    expected = binomtest(right, images).proportion_ci(0.95, method="wilson")
    # The scatter is read from draws, up to the luck of 4,000 of them.
    np.testing.assert_allclose(found, (100 * expected.low, 100 * expected.high), rtol=0.02, atol=1e-9)


def test_where_scores_scatter_less_than_a_share_they_are_as_narrow_as_a_normal_interval():
    scores = np.random.default_rng(0).beta(8, 8, 2000)
    low, high = score_bounds(100 * scores.mean(), draws_of(scores), 2000, 0.95)
    error = 100 * scores.std() / np.sqrt(2000)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.05)
    assert (low + high) / 2 == pytest.approx(100 * scores.mean(), abs=0.01)


@pytest.mark.parametrize("value", [0.0, 100.0])
@pytest.mark.parametrize("images", [1, 3, 30, 1000])
def test_no_interval_is_a_point_where_all_images_agree(value, images):
    same = np.full(50, value)
    low, high = interval(value, Replicates(same, same), images)
    assert low <= value <= high
    # Wilson at the edge: z^2 / (n + z^2).
    assert high - low == pytest.approx(100 * 3.8415 / (images + 3.8415), rel=1e-4)


def test_three_perfect_images_of_iou():
    result = totals(np.ones(3))
    for key in ("mean_iou", "acc@0.3", "acc@0.5", "acc@0.7"):
        assert result[key]["value"] == result[key]["high"] == 100
        assert result[key]["low"] == pytest.approx(
            100 * binomtest(3, 3).proportion_ci(method="wilson").low
        )
