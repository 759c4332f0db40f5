"""Metrics as functions of image weights, over thresholds.

A metric's value is its curve under weights of one; a bootstrap replicate is the same curve under the
counts of a resample. A curve is made in two steps: totals, which add up over images, batches and
processes, and the percentage they give. Totals are sums of integers that float32 or float64 hold
exactly, so that neither the number of threads nor the order of summing changes a bit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.pixel_counts import PixelPool, percent

# Shares of pixels as whole units, for exact sums: 2^30 units times 2^23 images fit in float64.
UNIT = float(2**30)

Totals = tuple[np.ndarray, ...]


class Curve(ABC):
    """A metric at C thresholds, for any weighting of the images."""

    # How many arrays its totals are.
    parts = 2

    @property
    def images(self) -> int | None:
        """How many images it is over; None: all that it is weighted by."""
        return None if self.covered is None else len(self.covered)

    @property
    def covered(self) -> np.ndarray | None:
        """The rows of the images that it is over; None: all, or not known."""
        return None

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """Weights (B, N) of the images to percent (B, C) at C thresholds; NaN is undefined."""
        return self.percent(self.totals(weights))

    @abstractmethod
    def totals(self, weights: np.ndarray) -> Totals:
        """What adds up over images, under the weights (B, N): arrays (B, ...) of whole numbers."""

    @abstractmethod
    def percent(self, totals: Totals) -> np.ndarray:
        """The curve (B, C) in percent that the totals give; NaN is undefined."""


@dataclass(frozen=True)
class Mean(Curve):
    """Weighted mean of whole numbers ``values`` (n, C) of ``whole`` each, over the images ``rows``."""

    values: np.ndarray
    rows: np.ndarray
    whole: float = 1.0

    @property
    def covered(self) -> np.ndarray:
        """Its rows."""
        return self.rows

    def totals(self, weights: np.ndarray) -> Totals:
        """The sums (B, C) of the values, and what they would be (B, 1) were each ``whole``."""
        weights = weights[:, self.rows]
        exact = np.float32 if self.values.dtype == bool else np.float64
        sums = weights.astype(exact, copy=False) @ self.values.astype(exact)
        wholes = self.whole * weights.sum(axis=1, dtype=np.float64)[:, None]
        return sums.astype(np.float64), wholes

    def percent(self, totals: Totals) -> np.ndarray:
        """The means (B, C) in percent."""
        return percent(*totals)


@dataclass(frozen=True)
class MeanOf(Curve):
    """The plain mean of several curves, those that are NaN left out: of IoU levels, or classes."""

    curves: Sequence[Curve]

    @property
    def covered(self) -> np.ndarray | None:
        """Those of its curves, each once."""
        rows = [curve.rows for curve in self.curves if isinstance(curve, Mean)]
        return np.unique(np.concatenate(rows)) if rows and len(rows) == len(self.curves) else None

    @property
    def parts(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Those of its curves, one curve after the other."""
        return sum(curve.parts for curve in self.curves)

    def totals(self, weights: np.ndarray) -> Totals:
        """Those of its curves, one curve after the other."""
        return tuple(total for curve in self.curves for total in curve.totals(weights))

    def percent(self, totals: Totals) -> np.ndarray:
        """The means (B, C) in percent."""
        total, count, start = 0.0, 0.0, 0
        for curve in self.curves:
            values = curve.percent(totals[start : start + curve.parts])
            start += curve.parts
            known = ~np.isnan(values)
            total = total + np.where(known, values, 0.0)
            count = count + known
        with np.errstate(invalid="ignore"):
            return total / np.asarray(count, np.float64)


@dataclass(frozen=True)
class SumRatio(Curve):
    """The sum of ``parts_of`` (n, C) over that of ``wholes`` (n, C or 1), images ``rows`` (n,)."""

    rows: np.ndarray
    parts_of: np.ndarray
    wholes: np.ndarray

    @property
    def covered(self) -> np.ndarray:
        """Its rows."""
        return self.rows

    def totals(self, weights: np.ndarray) -> Totals:
        """Both sums (B, C)."""
        exact = weights[:, self.rows].astype(np.float64)
        return exact @ self.parts_of, exact @ self.wholes

    def percent(self, totals: Totals) -> np.ndarray:
        """NaN where there is nothing to divide by."""
        return percent(*totals)


@dataclass(frozen=True)
class Pooled(Curve):
    """What ``reading(positives, negatives)`` says of the pixels of all images in one pool.

    ``reading`` turns counts (B, bins + 1) into percent (B, K); of these the ``columns`` (C,) are taken.
    """

    pool: PixelPool
    reading: Callable[[np.ndarray, np.ndarray], np.ndarray]
    columns: np.ndarray

    def totals(self, weights: np.ndarray) -> Totals:
        """Pixels of object and background, (B, bins + 1) each."""
        return self.pool.sums(weights)

    def percent(self, totals: Totals) -> np.ndarray:
        """The reading (B, C) in percent."""
        return self.reading(*totals)[:, self.columns]


def units(percent: np.ndarray) -> np.ndarray:
    """Percent as whole numbers in float64, for `Mean` with ``whole=UNIT``; NaN becomes 0."""
    return np.rint(np.nan_to_num(percent) / 100 * UNIT)
