"""Handwritten samples enlarged to their places: bilinear, and exact in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DARKEST = 16  # the darkest value of a handwritten sample
FULL = 256  # ink that lets nothing of the ground through
VISIBLE = 32  # ink from which a pixel belongs to the digit


@dataclass(frozen=True)
class Ink:
    """The pixels of one place in each of ``n`` images.

    ``row`` (p,) is the image of a pixel, ``y`` and ``x`` (p,) where it lies in the place, ``ink`` (p,)
    int32 from 0 to `FULL`; (``height``, ``width``) that of the largest place, 1 at least.
    """

    row: np.ndarray
    y: np.ndarray
    x: np.ndarray
    ink: np.ndarray
    height: int
    width: int

    @property
    def visible(self) -> np.ndarray:
        """Whether (p,) a pixel belongs to the digit."""
        return self.ink >= VISIBLE


def enlarge(pixels: np.ndarray, ends: np.ndarray, height: np.ndarray, width: np.ndarray) -> Ink:
    """Spread what of samples (n, 8, 8) lies within ``ends`` (n, 4) over places of height and width (n,).

    ``ends`` are top, left, bottom, right, half-open. A place without width stays empty.
    """
    down = _Axis.of(height, ends[:, 0], ends[:, 2])
    across = _Axis.of(width, ends[:, 1], ends[:, 3])
    row, y, x = np.nonzero(down.inside[:, :, None] & across.inside[:, None, :])
    each = np.arange(len(pixels))[:, None]
    # First the rows, then the columns. int32 holds it: 16 * 16 * (2 * 1024)^2 is 2^30.
    rows = (
        pixels[each, down.low] * down.rest[:, :, None] + pixels[each, down.high] * down.part[:, :, None]
    )
    ink = rows[row, y, across.low[row, x]] * across.rest[row, x]
    ink += rows[row, y, across.high[row, x]] * across.part[row, x]
    whole = down.whole * across.whole
    return Ink(row, y, x, ink * (FULL // DARKEST) // whole[row], *map(_longest, (height, width)))


@dataclass(frozen=True)
class _Axis:
    """One axis of the enlargement, with half-pixel centres: which samples, and their weights."""

    inside: np.ndarray
    low: np.ndarray
    high: np.ndarray
    part: np.ndarray
    rest: np.ndarray
    whole: np.ndarray

    @classmethod
    def of(cls, length: np.ndarray, first: np.ndarray, end: np.ndarray) -> _Axis:
        """Samples ``first`` to ``end`` spread over ``length`` pixels, all (n,)."""
        count, length, first = (each.astype(np.int32)[:, None] for each in (end - first, length, first))
        whole = 2 * np.maximum(length, 1)
        at = np.arange(_longest(length), dtype=np.int32)
        # Output pixel i lies at ((2 i + 1) count - length) / (2 length) in samples, edges repeated.
        position = np.clip((2 * at + 1) * count - length, 0, whole * (count - 1))
        low, part = np.divmod(position, whole)
        high = np.minimum(low + 1, count - 1)
        return cls(at < length, first + low, first + high, part, whole - part, whole[:, 0])


def _longest(length: np.ndarray) -> int:
    return int(length.max(initial=1))
