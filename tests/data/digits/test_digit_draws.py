from __future__ import annotations

import numpy as np
import pytest

from wsol.data.digits.draws import WORDS, Draws


def test_the_words_of_an_image_are_its_row_of_the_raw_stream():
    """One call for all images and one call a word give the same numbers."""
    bits = np.random.PCG64(np.random.SeedSequence((3, 1, 2)))
    raw = [[bits.random_raw() for _ in range(WORDS)] for _ in range(4)]
    draws = Draws(4, 3, 1, 2)
    for column in range(5):
        expected = [(row[column] >> 33) * 1000 // 2**31 for row in raw]
        assert draws.below(1000).tolist() == expected


def test_more_images_change_none_of_the_others():
    few, many = Draws(3, 7), Draws(9, 7)
    for end in (2, 10, 2**31):
        np.testing.assert_array_equal(few.below(end), many.below(end)[:3])


def test_draws_are_even_and_within_their_range():
    drawn = Draws(4000, 5).between(3, 6)
    assert set(drawn.tolist()) == {3, 4, 5, 6}
    assert np.abs(np.bincount(drawn)[3:] - 1000).max() < 120  # four sigma


def test_ends_may_differ_from_image_to_image():
    ends = np.arange(1, 501)
    drawn = Draws(500, 5).below(ends)
    assert (drawn >= 0).all() and (drawn < ends).all() and drawn[0] == 0


def test_orders_are_permutations_and_every_one_occurs():
    orders = Draws(600, 5).order(3)
    assert (np.sort(orders, axis=1) == np.arange(3)).all()
    assert len(np.unique(orders, axis=0)) == 6


def test_an_image_that_needs_more_words_than_it_has_says_so():
    draws = Draws(1, 0)
    for _ in range(WORDS):
        draws.below(2)
    with pytest.raises(ValueError, match="256 words"):
        draws.below(2)
