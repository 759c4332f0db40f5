from __future__ import annotations

import numpy as np
import pytest

import wsol.data.digits.placing as placing
from wsol.data.digits.draws import Draws
from wsol.data.digits.placing import Canvas, place_all


def gaps(places: placing.Places, one: int, other: int) -> np.ndarray:
    """Free pixels (n,) between two things along the axis on which they are further apart."""
    down = np.maximum(
        places.top[:, other] - (places.top + places.height)[:, one],
        places.top[:, one] - (places.top + places.height)[:, other],
    )
    across = np.maximum(
        places.left[:, other] - (places.left + places.width)[:, one],
        places.left[:, one] - (places.left + places.width)[:, other],
    )
    return np.maximum(down, across)


def all_gaps(places: placing.Places) -> np.ndarray:
    count = places.top.shape[1]
    return np.stack([gaps(places, one, two) for two in range(count) for one in range(two)])


def free_by_hand(taken: np.ndarray, height: int, width: int, margin: int) -> list[tuple[int, int]]:
    side, found = len(taken), []
    for y in range(side - height + 1):
        for x in range(side - width + 1):
            near = taken[max(y - margin, 0) : y + height + margin]
            if not near[:, max(x - margin, 0) : x + width + margin].any():
                found.append((y, x))
    return found


def test_a_thing_goes_to_a_free_place_that_its_word_chooses():
    """Against a plain list of all free places, in reading order."""
    rng = np.random.default_rng(0)
    n, side = 30, 12
    canvas = Canvas(side)
    taken = np.zeros((n, side, side), bool)
    for margin in (0, 1, 2):
        heights, widths = rng.integers(2, 5, (2, n))
        words = rng.integers(0, 2**31, n)
        top, left, fits = canvas.find(heights, widths, np.full(n, margin), words)
        # Where there is no place, a thing of no size is put: it is in nobody's way.
        canvas.put(top, left, heights * fits, widths * fits)
        for at in range(n):
            free = free_by_hand(taken[at], heights[at], widths[at], margin)
            assert fits[at] == bool(free)
            if free:
                y, x = free[int(words[at]) * len(free) // 2**31]
                assert (top[at], left[at]) == (y, x)
                taken[at, y : y + heights[at], x : x + widths[at]] = True


def test_every_place_is_as_likely_as_another():
    n = 6400
    top, left, fits = Canvas(10).find(
        np.full(n, 3), np.full(n, 3), np.zeros(n, np.int64), Draws(n, 1).below(2**31)
    )
    counts = np.bincount(top * 8 + left, minlength=64)
    assert fits.all() and len(counts) == 64
    assert ((counts - 100) ** 2 / 100).sum() < 120  # chi square of 63 degrees: 120 is beyond .9999


def test_the_first_thing_leaves_a_strip_to_the_frame():
    n = 2000
    size, none = np.full(n, 9), np.zeros(n, np.int64)
    top, left, fits = Canvas(16).find(size, size, none, Draws(n, 1).below(2**31), strip=4)
    room = np.stack([top, left, 16 - top - 9, 16 - left - 9]).max(axis=0)
    assert fits.all() and room.min() == 4


@pytest.mark.parametrize(
    ("test", "options"),
    [
        ("base", {"distractors": 4}),
        ("company", {"companions": 2}),
        ("scale", {}),
        ("several", {"instances": 4}),
        ("none", {}),
        ("parts", {}),
        ("context", {}),
    ],
)
@pytest.mark.parametrize("size", [52, 64, 72])
def test_things_are_within_the_image_and_keep_their_margins(make, test, options, size):
    made = make(test, 150, size, **options)
    places = made.placed()
    things = made.scene.things
    assert (places.top >= 0).all() and (places.top + places.height <= size).all()
    assert (places.left >= 0).all() and (places.left + places.width <= size).all()
    assert min(places.height.min(), places.width.min()) >= 10 * size // 64 >= 8
    assert (places.height <= things.heights).all() and (places.width <= things.widths).all()
    assert all_gaps(places).min() >= min(things.margins)


def test_training_of_every_size_fits(make):
    made = make("base", 600, split="train")
    assert all_gaps(made.placed()).min() >= 1
    assert set(range(10, 53)) == set(made.scene.things.heights[:, 0].tolist())


def test_where_the_last_thing_fits_nowhere_all_shrink():
    """Four things of 10 with margins of 8 fit into 30 pixels only in the corners, or smaller."""
    sides = np.full((40, 4), 10)
    places = place_all(sides, sides, (8,) * 4, 30, 6, Draws(40, 2))
    assert all_gaps(places).min() >= 8
    assert (places.height < 10).all(axis=1).any() and places.height.min() >= 6


def test_what_never_fits_is_an_error():
    sides = np.full((1, 2), 10)
    with pytest.raises(ValueError, match="2 things do not fit into 12 x 12 pixels"):
        place_all(sides, sides, (1, 1), 12, 8, Draws(1, 0))


def test_so_many_at_once_changes_nothing(make, monkeypatch):
    """What bounds the memory is no part of what is drawn."""
    together = make("parts", 50).placed()
    monkeypatch.setattr(placing, "PIXELS_AT_ONCE", 7 * 64**2)
    for one, other in zip(together.parts, make("parts", 50).placed().parts, strict=True):
        np.testing.assert_array_equal(one, other)
