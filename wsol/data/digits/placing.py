"""Where things go: each at a place drawn evenly from all that are free, for many images at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.data.digits.draws import Draws

# Of a thing that fits nowhere this much of its size is left before it is tried again.
SHRINK = (7, 8)
LARGEST_ROUNDS = 64
PIXELS_AT_ONCE = 2**21  # of all images that are worked on together, whatever their side


class Canvas:
    """Which pixels of ``n`` square images of ``side`` are taken."""

    def __init__(self, n: int, side: int) -> None:
        self.side = side
        self._taken = np.zeros((n, side, side), bool)

    def place(
        self,
        heights: np.ndarray,
        widths: np.ndarray,
        margins: np.ndarray,
        words: np.ndarray,
        strip: int = 0,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Put one thing of heights and widths (n,) into each image.

        It keeps ``margins`` (n,) pixels from what is there, and leaves on some side of it a strip of
        ``strip`` pixels to the frame, for the things to come. ``words`` (n,) from 0 to 2^31 - 1 choose
        among the free places, from left to right and down. Returns top and left (n,) and whether (n,)
        there was a place; where not, nothing is put.
        """
        free = self._free(heights, widths, margins)
        if strip:
            free &= self._leaves_strip(heights, widths, strip)
        counts = free.sum(axis=(1, 2))
        wanted = (words * counts) >> 31
        flat = np.cumsum(free.reshape(len(free), -1), axis=1, dtype=np.int32)
        place = (flat > wanted[:, None]).argmax(axis=1)
        top, left = np.divmod(place, self.side)
        fits = counts > 0
        rows = np.arange(self.side)
        inside_y = (rows >= top[:, None]) & (rows < (top + heights)[:, None])
        inside_x = (rows >= left[:, None]) & (rows < (left + widths)[:, None])
        self._taken |= inside_y[:, :, None] & inside_x[:, None, :] & fits[:, None, None]
        return top, left, fits

    def only(self, kept: np.ndarray) -> Canvas:
        """The images ``kept`` (n,) bool alone."""
        canvas = Canvas(0, self.side)
        canvas._taken = self._taken[kept]
        return canvas

    def put_back(self, kept: np.ndarray, canvas: Canvas) -> None:
        """What was placed in the images that `only` took out."""
        self._taken[kept] = canvas._taken

    def _free(self, heights: np.ndarray, widths: np.ndarray, margins: np.ndarray) -> np.ndarray:
        """Whether a thing may have its upper left corner at each pixel: bool (n, side, side)."""
        n, side = len(heights), self.side
        sums = np.zeros((n, side + 1, side + 1), np.int32)
        np.cumsum(self._taken, axis=1, out=sums[:, 1:, 1:])
        np.cumsum(sums[:, 1:, 1:], axis=2, out=sums[:, 1:, 1:])
        starts = np.arange(side)
        rows = np.arange(n)[:, None, None]
        before = np.maximum(starts - margins[:, None], 0)
        y0, x0 = before[:, :, None], before[:, None, :]
        y1 = np.minimum(starts + (heights + margins)[:, None], side)[:, :, None]
        x1 = np.minimum(starts + (widths + margins)[:, None], side)[:, None, :]
        taken = sums[rows, y1, x1] - sums[rows, y0, x1] - sums[rows, y1, x0] + sums[rows, y0, x0]
        inside_y = starts + heights[:, None] <= side
        inside_x = starts + widths[:, None] <= side
        return (taken == 0) & inside_y[:, :, None] & inside_x[:, None, :]

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
    found = Places(*(np.zeros((n, count), np.int64) for _ in range(4)))
    step = max(1, PIXELS_AT_ONCE // side**2)
    for start in range(0, n, step):
        rows = slice(start, start + step)
        some = _place_some(heights[rows], widths[rows], margins, side, smallest, words[rows])
        for values, new in zip(found.parts, some.parts, strict=True):
            values[rows] = new
    return found


def _place_some(
    heights: np.ndarray,
    widths: np.ndarray,
    margins: Sequence[int],
    side: int,
    smallest: int,
    words: np.ndarray,
) -> Places:
    """Places for the things of as many images as memory allows at once."""
    n, count = heights.shape
    own = np.broadcast_to(np.array(margins, np.int64), (n, count))
    order = np.lexsort((-(heights * widths), -own), axis=1)
    found = Places(*(np.zeros((n, count), np.int64) for _ in range(4)))
    todo = np.arange(n)
    heights, widths, words = heights.copy(), widths.copy(), words.copy()
    for _ in range(LARGEST_ROUNDS):
        several = _Placing(heights[todo], widths[todo], own[todo], side, smallest)
        good = several.try_all(order[todo], words[todo])
        for values, new in zip(found.parts, several.places.parts, strict=True):
            values[todo[good]] = new[good]
        todo = todo[~good]
        if not len(todo):
            return found
        heights[todo], widths[todo] = _smaller(heights[todo], widths[todo], smallest)
        # Other words, so that an image that failed once need not fail again.
        words[todo] = (words[todo] * 5 + 1) % 2**31
    raise ValueError(f"{count} things do not fit into {side} x {side} pixels")


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
        self.canvas = Canvas(len(heights), side)

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
        top, left, fits = self.canvas.place(height, width, margins, words, strip)
        while (small := ~fits & (height > self.smallest) & (width > self.smallest)).any():
            height[small], width[small] = _smaller(height[small], width[small], self.smallest)
            part = self.canvas.only(small)
            top[small], left[small], fits[small] = part.place(
                height[small], width[small], margins[small], words[small], strip
            )
            self.canvas.put_back(small, part)
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
