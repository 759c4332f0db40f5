"""Where things go: each at a place drawn evenly from all that are free, for many images at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from wsol.data.digits.draws import Draws

# Of a thing that fits nowhere this much of its size is left before it is tried again.
SHRINK = (7, 8)
LARGEST_ROUNDS = 64
PIXELS_AT_ONCE = 2**21


def batches(n: int, side: int) -> Iterator[slice]:
    """So many of ``n`` images of ``side`` pixels at once as memory allows."""
    step = max(1, PIXELS_AT_ONCE // side**2)
    return (slice(start, min(n, start + step)) for start in range(0, n, step))


class Canvas:
    """What was put into ``n`` square images of ``side`` pixels."""

    def __init__(self, side: int) -> None:
        self.side = side
        # Of each thing: where it begins and ends, down and across, (n,) each.
        self._taken: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []

    def find(
        self,
        heights: np.ndarray,
        widths: np.ndarray,
        margins: np.ndarray,
        words: np.ndarray,
        strip: int = 0,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A place for one thing of heights and widths (n,) in each image.

        It keeps ``margins`` (n,) pixels from what is there, and leaves on some side of it a strip of
        ``strip`` pixels to the frame, for the things to come. ``words`` (n,) from 0 to 2^31 - 1 choose
        among the free places, from left to right and down. Returns top and left (n,) and whether (n,)
        there was a place.
        """
        free = self._free(heights, widths, margins)
        if strip:
            free &= self._leaves_strip(heights, widths, strip)
        # The row that holds the chosen place, then the place within that row.
        ends = np.cumsum(free.sum(axis=2), axis=1)
        counts, images = ends[:, -1], np.arange(len(free))
        wanted = (words * counts) >> 31
        top = (ends > wanted[:, None]).argmax(axis=1)
        row = free[images, top]
        wanted = wanted - (ends[images, top] - row.sum(axis=1))
        left = (np.cumsum(row, axis=1) > wanted[:, None]).argmax(axis=1)
        return top, left, counts > 0

    def put(self, top: np.ndarray, left: np.ndarray, heights: np.ndarray, widths: np.ndarray) -> None:
        """Take the place (n,) of one thing in each image."""
        self._taken.append((top, top + heights, left, left + widths))

    def only(self, kept: np.ndarray) -> Canvas:
        """The images ``kept`` (n,) bool alone."""
        canvas = Canvas(self.side)
        canvas._taken = [
            (top[kept], end[kept], left[kept], right[kept]) for top, end, left, right in self._taken
        ]
        return canvas

    def _free(self, heights: np.ndarray, widths: np.ndarray, margins: np.ndarray) -> np.ndarray:
        """Whether a thing may have its upper left corner at each pixel: bool (n, side, side)."""
        starts = np.arange(self.side)
        down, across = starts + heights[:, None], starts + widths[:, None]
        free = (down <= self.side)[:, :, None] & (across <= self.side)[:, None, :]
        gap = margins[:, None]
        for top, end, left, right in self._taken:
            beside_y = (starts >= end[:, None] + gap) | (down + gap <= top[:, None])
            beside_x = (starts >= right[:, None] + gap) | (across + gap <= left[:, None])
            free &= beside_y[:, :, None] | beside_x[:, None, :]
        return free

    def _leaves_strip(self, heights: np.ndarray, widths: np.ndarray, strip: int) -> np.ndarray:
        starts = np.arange(self.side)
        above_or_below = (starts >= strip) | (self.side - starts - heights[:, None] >= strip)
        beside = (starts >= strip) | (self.side - starts - widths[:, None] >= strip)
        return above_or_below[:, :, None] | beside[:, None, :]


@dataclass(frozen=True)
class Places:
    """Where the things (n, k) of each image lie; int64 pixels."""

    top: np.ndarray
    left: np.ndarray
    height: np.ndarray
    width: np.ndarray

    @property
    def parts(self) -> tuple[np.ndarray, ...]:
        """The four arrays."""
        return self.top, self.left, self.height, self.width


def place_all(
    heights: np.ndarray,
    widths: np.ndarray,
    margins: Sequence[int],
    side: int,
    smallest: int,
    draws: Draws,
) -> Places:
    """Places for the things (n, k) of each image: those of wide margins first, then the largest.

    Each keeps its own of ``margins`` (k,) from what was placed before. A thing without a free place
    shrinks, no side below ``smallest``, until it has one; where the smallest has none, all of the
    image's things shrink and are placed anew.
    """
    n, count = heights.shape
    words = np.stack([draws.below(2**31) for _ in range(count)], axis=1)
    own = np.broadcast_to(np.array(margins, np.int64), (n, count))
    found = Places(*(np.zeros((n, count), np.int64) for _ in range(4)))
    for rows in batches(n, side):
        placed = _placed(heights[rows], widths[rows], own[rows], words[rows], side, smallest)
        for values, new in zip(found.parts, placed.parts, strict=True):
            values[rows] = new
    return found


def _placed(
    heights: np.ndarray,
    widths: np.ndarray,
    margins: np.ndarray,
    words: np.ndarray,
    side: int,
    smallest: int,
) -> Places:
    """Places for the things (n, k) of some images, in as many rounds as it takes."""
    order = np.lexsort((-(heights * widths), -margins), axis=1)
    found = Places(*(np.zeros_like(heights) for _ in range(4)))
    todo = np.arange(len(heights))
    heights, widths, words = heights.copy(), widths.copy(), words.copy()
    for _ in range(LARGEST_ROUNDS):
        several = _Placing(heights[todo], widths[todo], margins[todo], side, smallest)
        good = several.try_all(order[todo], words[todo])
        for values, new in zip(found.parts, several.places.parts, strict=True):
            values[todo[good]] = new[good]
        todo = todo[~good]
        if not len(todo):
            return found
        heights[todo], widths[todo] = _smaller(heights[todo], widths[todo], smallest)
        # Other words, so that an image that failed once need not fail again.
        words[todo] = (words[todo] * 5 + 1) % 2**31
    raise ValueError(f"{heights.shape[1]} things do not fit into {side} x {side} pixels")


class _Placing:
    """One try at all things of some images."""

    def __init__(
        self,
        heights: np.ndarray,
        widths: np.ndarray,
        margins: np.ndarray,
        side: int,
        smallest: int,
    ) -> None:
        self.places = Places(np.zeros_like(heights), np.zeros_like(heights), heights, widths)
        self.margins, self.smallest = margins, smallest
        self.canvas = Canvas(side)

    def try_all(self, order: np.ndarray, words: np.ndarray) -> np.ndarray:
        """Place the things in their ``order`` (n, k); whether (n,) all of an image were placed."""
        good = np.ones(len(order), bool)
        for turn, thing in enumerate(order.T):
            good &= self._place(thing, words[:, turn], first=turn == 0 and order.shape[1] > 1)
        return good

    def _place(self, thing: np.ndarray, words: np.ndarray, first: bool) -> np.ndarray:
        """Place thing ``thing`` (n,) of each image, smaller where it does not fit."""
        places, rows = self.places, np.arange(len(thing))
        margins = self.margins[rows, thing]
        height, width = places.height[rows, thing], places.width[rows, thing]
        strip = self.smallest + 1 if first else 0
        top, left, fits = self.canvas.find(height, width, margins, words, strip)
        while (small := ~fits & (height > self.smallest) & (width > self.smallest)).any():
            height[small], width[small] = _smaller(height[small], width[small], self.smallest)
            top[small], left[small], fits[small] = self.canvas.only(small).find(
                height[small], width[small], margins[small], words[small], strip
            )
        self.canvas.put(top, left, height, width)
        places.top[rows, thing], places.left[rows, thing] = top, left
        places.height[rows, thing], places.width[rows, thing] = height, width
        return fits


def _smaller(heights: np.ndarray, widths: np.ndarray, smallest: int) -> tuple[np.ndarray, np.ndarray]:
    """Both sides an eighth shorter, in proportion as far as whole pixels allow."""
    part, whole = SHRINK
    return (
        np.maximum(heights * part // whole, smallest),
        np.maximum(widths * part // whole, smallest),
    )
