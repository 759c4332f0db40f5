from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from wsol.board.rows.seeds import Estimate, estimate, far_seeds, t_quantile

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


@pytest.mark.parametrize("turned", [False, True])
def test_the_interval_over_seeds_stays_where_the_metric_can_be(turned):
    # By hand: mean 98, squares 4 4 4 4 16, hence a deviation of the root of 32 / 4.
    values = [100.0, 100.0, 100.0, 96.0, 94.0]
    mean, reach = 98.0, 2.7764451 * math.sqrt(8) / math.sqrt(5)
    figures: list[dict[str, float | None]] = [
        {"value": 100 - value if turned else value} for value in values
    ]
    low, high = (2.0 - reach, 2.0 + reach) if turned else (mean - reach, mean + reach)
    free = estimate(figures)
    assert (free.low, free.high) == (pytest.approx(low), pytest.approx(high))
    cut = estimate(figures, within=(0.0, 100.0))
    expected = (0.0, pytest.approx(high)) if turned else (pytest.approx(low), 100.0)
    assert (cut.low, cut.high) == expected
    assert (cut.value, cut.std) == (free.value, free.std)


def test_seeds_that_agree_have_an_interval_of_no_width():
    figures: list[dict[str, float | None]] = [{"value": 100.0}] * 5
    found = estimate(figures, within=(0.0, 100.0))
    assert (found.low, found.high) == (100.0, 100.0)


@pytest.mark.parametrize(
    ("values", "far"),
    [
        # A run that collapsed, wherever it stands, and one that alone did well.
        ([80.0, 81.0, 40.0, 82.0, 79.0], [2]),
        ([90.0, 20.0, 91.0], [1]),
        ([20.0, 21.0, 22.0, 60.0], [3]),
        ([80.0, 81.0, 82.0, 40.0, 41.0], [3, 4]),
        # By hand: median 80, distances 0 1 1 2 9.9: less than ten points.
        ([80.0, 81.0, 79.0, 82.0, 70.1], []),
        # Far in points, but the others lie as far apart: median 60, distances 0 10 10 20 25.
        ([50.0, 60.0, 70.0, 80.0, 35.0], []),
        # Of two seeds nobody can say which one is far.
        ([90.0, 10.0], []),
        ([90.0], []),
        ([None, 90.0, 91.0, 20.0], [3]),
        ([None, None, None], []),
    ],
)
def test_a_seed_far_from_the_others_is_found(values, far):
    assert far_seeds(values) == far
