"""IoU of shapes by hand."""

from __future__ import annotations

import numpy as np
import pytest

from wsol.evaluation.overlap import Shapes, overlap, totals


def mask(rows, columns):
    pixels = np.zeros((10, 10), bool)
    pixels[rows[0] : rows[1], columns[0] : columns[1]] = True
    return pixels


def boxes(*corners):
    return Shapes(np.array(corners, np.float32).reshape(-1, 4))


def test_masks_by_hand_and_with_pixels_that_do_not_count():
    predicted, true = Shapes(mask=mask((0, 4), (0, 10))), mask((0, 2), (0, 10))
    assert overlap("a", predicted, Shapes(mask=true)).iou == 0.5
    # The third row is ignored; so is the first, but there is an object in it.
    ignore = mask((2, 3), (0, 10)) | mask((0, 1), (0, 10))
    assert overlap("a", predicted, Shapes(mask=true, ignore=ignore)).iou == pytest.approx(2 / 3)


def test_a_mask_against_boxes_is_its_largest_contours_rectangle():
    pixels = mask((2, 6), (2, 6)) | mask((9, 10), (9, 10))
    found = overlap("a", Shapes(mask=pixels), boxes((2, 2, 6, 6)))
    assert found.iou == 1.0
    np.testing.assert_array_equal(found.box, [2, 2, 6, 6])
    assert overlap("a", boxes((2, 2, 6, 4)), Shapes(mask=pixels)).iou == 0.5


def test_nothing_predicted_is_zero_and_nothing_true_is_undefined():
    assert overlap("a", boxes(), boxes((0, 0, 1, 1))).iou == 0.0
    assert overlap("a", Shapes(mask=mask((0, 0), (0, 0))), boxes((0, 0, 1, 1))).iou == 0.0
    assert np.isnan(overlap("a", boxes((0, 0, 1, 1)), boxes()).iou)


def test_totals_leave_out_what_is_undefined():
    result = totals(np.array([0.5, 0.7, np.nan]))
    assert result["mean_iou"]["value"] == pytest.approx(60.0, abs=1e-6)
    assert [result[f"acc@{d}"]["value"] for d in ("0.3", "0.5", "0.7")] == [100.0, 100.0, 50.0]
    assert result["acc@0.7"]["low"] == 0.0 and result["acc@0.7"]["high"] == 100.0
    assert totals(np.array([np.nan]))["mean_iou"] == {"value": None, "low": None, "high": None}
