from __future__ import annotations

import numpy as np
import pytest

from wsol.report import draw_overlay
from wsol.report.overlay import PREDICTED_COLOR, TRUE_COLOR

GREY = np.full((100, 200, 3), 90, np.uint8)


def places(picture: np.ndarray, color: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """The frame around all pixels of a colour, half-open x0, y0, x1, y1."""
    rows, columns = np.nonzero((picture == color).all(axis=2))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_boxes_lie_where_they_are_on_the_scaled_picture():
    picture = draw_overlay(GREY, None, [20, 10, 60, 50], [[100, 20, 180, 90]], side=400)
    assert picture.shape == (200, 400, 3)
    # Lines are two pixels wide, which may fall on either side of the edge.
    assert places(picture, PREDICTED_COLOR) == pytest.approx((40, 20, 120, 100), abs=1)
    assert places(picture, TRUE_COLOR) == pytest.approx((200, 40, 360, 180), abs=1)


def test_a_box_as_large_as_the_image_stays_inside():
    picture = draw_overlay(GREY, None, [0, 0, 200, 100], side=200)
    assert places(picture, PREDICTED_COLOR) == (0, 0, 200, 100)


def test_nothing_to_draw_leaves_the_image():
    assert np.array_equal(draw_overlay(GREY, None, None, side=200), GREY)


@pytest.mark.parametrize("score_map", [np.zeros((7, 7)), np.full((7, 7), -3.5), np.full((3, 5), np.nan)])
def test_a_map_without_contrast_is_no_heat(score_map):
    assert np.array_equal(draw_overlay(GREY, score_map, None, side=200), GREY)


def test_heat_is_where_the_map_is_high():
    score_map = np.full((10, 20), -1.0, np.float32)
    score_map[:, 15:] = 4.0
    picture = draw_overlay(GREY, score_map, None, side=200).astype(int)
    assert np.abs(picture[:, :100] - 90).max() <= 8  # cubic interpolation rings a little
    assert (picture[:, 170:, 0] > 150).all()


def test_a_caption_is_a_line_below():
    picture = draw_overlay(GREY, None, None, caption="sparrow, IoU 0.71", side=200)
    assert picture.shape[0] > 100
    assert np.array_equal(picture[:100], GREY)
    assert picture[100:].max() > 200


def test_the_image_given_is_not_drawn_upon():
    image = GREY.copy()
    draw_overlay(image, np.eye(5), [5, 5, 50, 50], [[1, 1, 9, 9]], side=200)
    assert np.array_equal(image, GREY)
