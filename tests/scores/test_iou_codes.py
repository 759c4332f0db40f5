"""Codes compare exactly as the IoUs they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsol.scores.iou_codes import ALL_UNITS, SINGLE_UNITS, encode_iou, least_code, twice_iou


@pytest.mark.parametrize("units", [SINGLE_UNITS, ALL_UNITS])
def test_codes_compare_as_the_ious_do_at_every_whole_percent(units):
    # Every fraction of small areas, and the floats next to every percent.
    wholes = np.arange(1, 400)
    fractions = np.unique(np.concatenate([np.arange(n + 1) / n for n in wholes]))
    percents = np.arange(1, 101) / 100
    beside = np.concatenate([np.nextafter(percents, 0), percents, np.nextafter(percents, 2)])
    iou = np.concatenate([fractions, beside[beside <= 1]])
    codes = encode_iou(iou, units)
    for percent in range(1, 101):
        np.testing.assert_array_equal(codes >= percent * units // 100, iou >= percent / 100)


@given(st.floats(0, 1))
def test_a_code_is_the_iou_rounded_down(iou):
    code = int(encode_iou(np.array([iou]), SINGLE_UNITS)[0])
    assert code / SINGLE_UNITS <= iou
    assert code == SINGLE_UNITS or iou < (code + 1) / SINGLE_UNITS


def test_the_least_code_is_exact_for_every_whole_percent():
    for percent in range(1, 101):
        assert least_code(percent / 100, "single") * 100 == percent * SINGLE_UNITS
        assert least_code(percent / 100, "all") == percent


def test_a_code_stands_for_the_middle_of_its_interval():
    # 0 is IoU 0 and 50,000 IoU 1; code 7 holds 7/50,000 up to 8/50,000.
    np.testing.assert_array_equal(twice_iou(np.array([0, 7, SINGLE_UNITS])), [0, 15, 2 * SINGLE_UNITS])
