from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import norm

from wsol.board.comparison.paired import compare
from wsol.scores.comparison.mcnemar import mcnemar


@pytest.mark.parametrize(("first", "second"), [(0, 0), (1, 0), (3, 9), (12, 12), (5, 40), (400, 300)])
def test_mcnemar_is_the_exact_binomial_test(first, second):
    # Exact whole numbers: the tails of so many throws of a fair coin.
    total, smaller = first + second, min(first, second)
    tail = sum(math.comb(total, k) for k in range(smaller + 1))
    assert mcnemar(first, second) == pytest.approx(min(1, float(Fraction(2 * tail, 2**total))), rel=1e-9)


def test_images_both_rows_get_right_do_not_count():
    # By hand: 6 images only the row gets right, none only the other: p = 2 / 2^6.
    row = np.array([1] * 6 + [1] * 50 + [0] * 44)
    other = np.array([0] * 6 + [1] * 50 + [0] * 44)
    found = compare(row, other)
    assert found.difference == pytest.approx(6)
    assert found.p_value == pytest.approx(2 / 64)
    assert found.n_images == 100
    assert found.distinguishable
    # The sample variance of six ones in a hundred.
    reach = 1.959964 * np.sqrt(6 * 94 / 100 / 99 / 100) * 100
    assert (found.low, found.high) == (pytest.approx(6 - reach), pytest.approx(6 + reach))


def test_a_small_difference_of_few_images_is_not_distinguishable():
    generator = np.random.default_rng(0)
    row, other = generator.random((2, 250)) < 0.5
    assert not compare(row, other).distinguishable


def test_means_over_levels_use_the_paired_normal_test():
    generator = np.random.default_rng(1)
    row, other = generator.integers(0, 4, (2, 300)) / 3
    difference = row - other
    z = difference.mean() / (difference.std(ddof=1) / np.sqrt(300))
    assert compare(row, other).p_value == pytest.approx(2 * norm.sf(abs(z)))


def test_equal_scores_are_alike():
    scores = np.full(10, 1 / 3)
    assert compare(scores, scores).p_value == 1


def test_scores_of_different_images_are_refused():
    with pytest.raises(ValueError, match="cannot be paired"):
        compare(np.zeros(3), np.zeros(4))


def test_the_level_holds_where_both_rows_choose_their_threshold_on_these_images():
    # Rows that are equally good at their true best thresholds, seen on 250 images each with the
    # threshold chosen there: at most about one comparison in twenty may call them different.
    generator = np.random.default_rng(3)
    thresholds = np.linspace(0, 1, 51)

    def accuracy() -> np.ndarray:
        middle = 0.5 + 0.15 * generator.standard_normal((250, 1))
        right = np.abs(thresholds - middle) < 0.15 * generator.gamma(2, 0.5, (250, 1))
        return right[:, right.mean(axis=0).argmax()].astype(float)

    wrong = sum(compare(accuracy(), accuracy()).distinguishable for _ in range(600))
    # 600 comparisons at level 0.05 are more than 45 with a chance of 0.3 %.
    assert wrong <= 45
