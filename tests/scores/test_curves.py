"""Curves against plain averages; totals of two halves are the totals of the whole."""

from __future__ import annotations

import numpy as np
import pytest

from wsol.scores.curves import Mean, MeanOf, Pooled
from wsol.scores.pixel_counts import PixelPool, pooled_iou

GENERATOR = np.random.default_rng(5)
WEIGHTS = np.array([[1, 1, 1, 1], [0, 2, 0, 2]], np.float32)


def test_a_mean_leaves_out_the_other_images_and_counts_weights():
    values = np.array([[1, 0], [0, 1], [1, 1]], bool)
    found = Mean(values, np.array([0, 1, 3]))(WEIGHTS)
    np.testing.assert_allclose(found, [[200 / 3, 200 / 3], [50, 100]])


def test_a_mean_of_curves_leaves_out_those_without_images():
    one = Mean(np.array([[True]]), np.array([0]))
    other = Mean(np.array([[False]]), np.array([1]))
    # In the second weighting image 0 was not drawn: its curve is undefined there.
    np.testing.assert_allclose(MeanOf([one, other])(WEIGHTS), [[50], [0]])


@pytest.mark.parametrize("kind", ["mean", "mean of means", "pooled"])
def test_totals_of_parts_add_up_to_those_of_the_whole(kind):
    def curve(rows):
        mean = Mean(values[rows], np.arange(len(rows)), whole=9.0)
        if kind == "mean":
            return mean
        if kind == "mean of means":
            return MeanOf([mean, Mean(values[rows] > 4, np.arange(len(rows)))])
        return Pooled(PixelPool(counts[0][rows], counts[1][rows]), pooled_iou, np.arange(3))

    values = GENERATOR.integers(0, 10, (7, 3))
    counts = GENERATOR.integers(0, 50, (2, 7, 6))
    whole = curve(list(range(7)))
    parts = [curve(rows).totals(np.ones((1, len(rows)))) for rows in ([0, 1, 2], [3, 4, 5, 6])]
    together = tuple(a + b for a, b in zip(*parts, strict=True))
    assert len(together) == whole.parts
    np.testing.assert_array_equal(whole.percent(together), whole(np.ones((1, 7))))


def test_pooled_sums_follow_the_weights():
    counts = GENERATOR.integers(1, 50, (2, 4, 6))
    pool = PixelPool(*counts)
    for weights in (WEIGHTS, WEIGHTS[::-1].copy(), WEIGHTS):
        positives, negatives = pool.sums(weights)
        np.testing.assert_array_equal(positives, weights @ counts[0])
        np.testing.assert_array_equal(negatives, weights @ counts[1])


def test_an_image_counts_once_however_many_curves_it_is_in():
    values = np.zeros((3, 1), bool)
    levels = [Mean(values, np.array([0, 2, 5])), Mean(values, np.array([0, 2, 5]))]
    assert MeanOf(levels).images == 3  # of IoU levels: the same images
    classes = [Mean(values, np.array([0, 2, 5])), Mean(values, np.array([1, 3, 4]))]
    assert MeanOf(classes).images == 6  # of classes: images of their own
