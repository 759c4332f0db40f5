"""McNemar's exact test and its interval against scipy's binomial test."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from wsol.scores.comparison.mcnemar import mcnemar, mcnemar_interval


@pytest.mark.parametrize(("first", "second"), [(1, 0), (6, 0), (3, 9), (12, 12), (5, 40), (30, 15)])
def test_against_the_binomial_test(first, second):
    coin = binomtest(first, first + second)
    assert mcnemar(first, second) == pytest.approx(coin.pvalue)
    bounds, share = coin.proportion_ci(0.95, method="exact"), (first + second) / 200
    low, high = mcnemar_interval(first, second, 200, 0.95)
    assert low == pytest.approx(100 * (2 * bounds.low - 1) * share)
    assert high == pytest.approx(100 * (2 * bounds.high - 1) * share)
    assert (low > 0 or high < 0) == (coin.pvalue < 0.05)


def test_rows_that_no_image_tells_apart():
    assert mcnemar(0, 0) == 1
    assert mcnemar_interval(0, 0, 10, 0.95) == (0, 0)
