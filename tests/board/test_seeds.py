from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from wsol.board.seeds import Estimate, estimate, t_quantile

# The 97.5 % column of any printed table.
PRINTED = {1: 12.7062, 2: 4.3027, 3: 3.1824, 4: 2.7764, 5: 2.5706, 9: 2.2622, 29: 2.0452, 100: 1.9840}


@pytest.mark.parametrize("freedom", PRINTED)
def test_the_quantile_is_that_of_printed_tables(freedom):
    assert t_quantile(freedom) == pytest.approx(PRINTED[freedom], abs=5e-5)


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
