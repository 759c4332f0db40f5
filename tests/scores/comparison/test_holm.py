"""Holm's correction by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from wsol.scores.comparison.holm import holm


def test_by_hand():
    # Sorted .01 .02 .03 .2 by 4 3 2 1: .04 .06 .06 .2, never falling.
    assert holm([0.03, 0.2, 0.01, 0.02]) == pytest.approx([0.06, 0.2, 0.04, 0.06])
    assert holm([0.6, 0.9]) == [1, 1]
    assert holm([]) == []


def test_against_the_definition():
    given = np.random.default_rng(0).random(12) ** 3
    order = np.sort(given)
    expected = [
        max(min(1, (12 - rank) * order[rank]) for rank in range(list(order).index(p) + 1)) for p in given
    ]
    assert holm(given) == pytest.approx(expected)


def test_tests_that_were_not_made_do_not_count():
    first, gap, last = holm([0.01, math.nan, 0.5])
    assert (first, last) == (pytest.approx(0.02), 0.5)
    assert math.isnan(gap)
    with pytest.raises(ValueError, match="not all in"):
        holm([1.5])
