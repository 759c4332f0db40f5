"""Metrics as functions of image weights, over thresholds: ``curve(weights (B, N)) -> (B, C)`` percent.

A metric's value is its curve under weights of one; a bootstrap replicate is the same curve under the
counts of a resample. Sums are of integers that float32 or float64 hold exactly, so that neither
the number of threads nor the order of summing changes a bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from wsol.scores.per_image import SINGLE_UNITS

# Shares of pixels as whole units, for exact sums: 2^30 units times 2^23 images fit in float64.
UNIT = float(2**30)


class Curve(Protocol):
    """A metric over thresholds, for any weighting of the images."""

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """Weights (B, N) of the images to percent (B, C) at C thresholds; NaN is undefined."""
        ...


@dataclass(frozen=True)
class Mean:
    """Weighted mean of whole numbers ``values`` (n, C) of ``whole`` each, over the images ``rows``."""

    values: np.ndarray
    rows: np.ndarray
    whole: float = 1.0

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """The means (B, C) in percent."""
        weights = weights[:, self.rows]
        exact = np.float32 if self.values.dtype == bool else np.float64
        sums = weights.astype(exact, copy=False) @ self.values.astype(exact)
        return _percent(
            sums.astype(np.float64), self.whole * weights.sum(axis=1, dtype=np.float64)[:, None]
        )


@dataclass(frozen=True)
class MeanOf:
    """The plain mean of several curves, those that are NaN left out: deltas, or classes."""

    curves: Sequence[Curve]

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """The means (B, C) in percent."""
        total, count = 0.0, 0.0
        for curve in self.curves:
            values = curve(weights)
            known = ~np.isnan(values)
            total = total + np.where(known, values, 0.0)
            count = count + known
        with np.errstate(invalid="ignore"):
            return total / np.asarray(count, np.float64)


@dataclass(frozen=True)
class Pixels:
    """Pixels of all images in one pool; ``positives``, ``negatives`` (N, bins + 1) per bin of score."""

    positives: np.ndarray
    negatives: np.ndarray

    def __call__(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Average precision (B, 1) and IoU (B, bins - 2), both in percent, the latter per threshold."""
        weights = weights.astype(np.float64, copy=False)
        positives = weights @ self.positives.astype(np.float64)
        negatives = weights @ self.negatives.astype(np.float64)
        return average_precision(positives, negatives)[:, None], pooled_iou(positives, negatives)


def average_precision(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """PxAP in percent (Choe et al., 2020) from pixel counts (..., bins + 1); NaN without foreground.

    From the highest bin downwards: precision times the step in recall, from the second bin on,
    thresholds above every pixel left out.
    """
    hits = np.cumsum(positives[..., :0:-1], axis=-1, dtype=np.float64)
    false_alarms = np.cumsum(negatives[..., :0:-1], axis=-1, dtype=np.float64)
    claimed = hits + false_alarms
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(claimed > 0, hits / claimed, 0.0)
        recall = hits / positives.sum(axis=-1, dtype=np.float64)[..., None]
        return (precision[..., 1:] * np.diff(recall, axis=-1)).sum(axis=-1) * 100


def pooled_iou(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """TP / (TP + FP + FN) in percent at every threshold of the grid; counts (..., bins + 1).

    Returns (..., T). Foreground is a score at or above the threshold; NaN without true foreground.
    """
    hits, claimed = _hits(positives, negatives)
    true = positives.sum(axis=-1, dtype=np.float64)[..., None]
    return _percent(hits, np.where(true > 0, true + claimed - hits, 0.0))


def right_pixels(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """Percent of pixels labelled right at every threshold of the grid (Rubinstein's P); (..., T)."""
    hits, claimed = _hits(positives, negatives)
    background = negatives.sum(axis=-1, dtype=np.float64)[..., None]
    pixels = positives.sum(axis=-1, dtype=np.float64)[..., None] + background
    return _percent(hits + background - (claimed - hits), pixels)


def units(percent: np.ndarray) -> np.ndarray:
    """Percent as whole numbers in float64, for `Mean` with ``whole=UNIT``; NaN becomes 0."""
    return np.rint(np.nan_to_num(percent) / 100 * UNIT)


def twice_iou(codes: np.ndarray) -> np.ndarray:
    """Twice the middle of the IoU interval that a single-contour code stands for; 0 and 1 are exact."""
    codes = codes.astype(np.int64)
    return 2 * codes + ((codes > 0) & (codes < SINGLE_UNITS))


def _hits(positives: np.ndarray, negatives: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Bins end with [1, 2) and [2, 3): the score 1 is above every threshold of the grid.
    hits = np.cumsum(positives[..., :0:-1], axis=-1, dtype=np.float64)[..., ::-1][..., :-2]
    false_alarms = np.cumsum(negatives[..., :0:-1], axis=-1, dtype=np.float64)[..., ::-1][..., :-2]
    return hits, hits + false_alarms


def _percent(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, 100.0 * part / whole, np.nan)
