"""Boxes to maps, cell by cell."""

import numpy as np

from wsol.maps.proposals.painting import SIDE, above_average, painted


def slowly(boxes, scores):
    found = np.zeros((SIDE, SIDE))
    for y in range(SIDE):
        for x in range(SIDE):
            across, down = (x + 0.5) / SIDE, (y + 0.5) / SIDE
            for (x0, y0, x1, y1), score in zip(boxes, scores, strict=True):
                found[y, x] += score * (x0 <= across < x1 and y0 <= down < y1)
    return found


def some_boxes():
    rng = np.random.default_rng(3)
    corners = np.sort(rng.random((7, 2, 2)), axis=1)
    return corners.reshape(7, 4), rng.random(7)


def test_sums_of_scores_over_boxes():
    boxes, scores = some_boxes()
    np.testing.assert_allclose(painted(boxes, scores), slowly(boxes, scores))


def test_what_exceeds_the_mean():
    boxes, scores = some_boxes()
    np.testing.assert_allclose(above_average(boxes, scores), slowly(boxes, scores - scores.mean()))


def test_equal_scores_say_nothing_wherever_the_boxes_lie():
    boxes, _ = some_boxes()
    assert np.abs(above_average(boxes, np.full(7, 0.3))).max() < 1e-12
    assert painted(boxes, np.ones(7)).max() > 2  # but the boxes alone do: they lie on one another


def test_no_boxes_make_an_empty_map():
    assert not above_average(np.zeros((0, 4)), np.zeros(0)).any()
