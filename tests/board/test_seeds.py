from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from wsol.board.seeds import Estimate, estimate, t_quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 9, 10, 29, 100])
def test_the_quantile_is_students(freedom):
    assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-9)


def test_the_interval_over_seeds_is_scipys():
    values = np.array([61.0, 58.5, 60.2, 59.9, 62.3, 57.0])
    found = estimate([{"value": value, "low": 0.0, "high": 100.0} for value in values])
    low, high = stats.t.interval(0.95, 5, values.mean(), stats.sem(values))
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert found.over == "seeds"


def test_four_seeds_have_none():
    found = estimate([{"value": value, "low": 1.0, "high": 2.0} for value in (1.0, 2.0, 3.0, 4.0)])
    assert (found.low, found.high, found.over) == (None, None, "")


def test_no_value_is_no_zero():
    assert estimate([{"value": None, "low": None, "high": None}]) == Estimate(None)
