"""A mask of one object, kept as the rectangle of it that holds pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Region:
    """The pixels of an object: ``crop`` (h, w) bool, from row ``top`` and column ``left`` on.

    ``size`` is the (height, width) of the whole mask. So many objects of a large image fit in memory.
    """

    crop: np.ndarray
    top: int
    left: int
    size: tuple[int, int]

    @classmethod
    def of(cls, mask: np.ndarray) -> Region:
        """The region of a mask (height, width) bool; one without pixels has a crop of 0 x 0."""
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        size = (mask.shape[0], mask.shape[1])
        if not len(rows):
            return cls(np.zeros((0, 0), bool), 0, 0, size)
        top, left = int(rows[0]), int(columns[0])
        crop = mask[top : rows[-1] + 1, left : columns[-1] + 1].copy()
        return cls(crop, top, left, size)

    @property
    def area(self) -> int:
        """How many pixels it has."""
        return int(np.count_nonzero(self.crop))

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The half-open rectangle around all of its pixels."""
        height, width = self.crop.shape
        return float(self.left), float(self.top), float(self.left + width), float(self.top + height)

    def pixels(self) -> np.ndarray:
        """The whole mask (height, width) bool."""
        mask = np.zeros(self.size, bool)
        mask[self.top : self.top + self.crop.shape[0], self.left : self.left + self.crop.shape[1]] = (
            self.crop
        )
        return mask

    def part(self, top: int, left: int, bottom: int, right: int) -> np.ndarray:
        """A view of its pixels in these rows and columns, which lie in its own rectangle."""
        return self.crop[top - self.top : bottom - self.top, left - self.left : right - self.left]

    def shared(self, other: Region, without: np.ndarray | None = None) -> int:
        """How many pixels both have; of these only those not in ``without`` (height, width) bool."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom = min(self.top + self.crop.shape[0], other.top + other.crop.shape[0])
        right = min(self.left + self.crop.shape[1], other.left + other.crop.shape[1])
        if bottom <= top or right <= left:
            return 0
        both = self.part(top, left, bottom, right) & other.part(top, left, bottom, right)
        if without is not None:
            both &= ~without[top:bottom, left:right]
        return int(np.count_nonzero(both))

    def within(self, box: np.ndarray) -> int:
        """How many of its pixels have their centre in a half-open ``box`` (4,) of the image."""
        x0, y0, x1, y1 = np.ceil(np.asarray(box, np.float64) - 0.5).astype(int).tolist()
        rows = slice(max(y0 - self.top, 0), max(y1 - self.top, 0))
        return int(np.count_nonzero(self.crop[rows, max(x0 - self.left, 0) : max(x1 - self.left, 0)]))
