"""Pixels of object and background per bin of score, and what is read from them at each threshold.

Counts are (..., bins + 1) over `Protocol.bin_edges`: column 0 holds pixels below every threshold, the
last two the scores 1 and above, which are above every threshold of the grid.
"""

from __future__ import annotations

import numpy as np


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
    return percent(hits, np.where(true > 0, true + claimed - hits, 0.0))


def right_pixels(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """Percent of pixels labelled right at every threshold of the grid (Rubinstein's P); (..., T)."""
    hits, claimed = _hits(positives, negatives)
    background = negatives.sum(axis=-1, dtype=np.float64)[..., None]
    pixels = positives.sum(axis=-1, dtype=np.float64)[..., None] + background
    return percent(hits + background - (claimed - hits), pixels)


def percent(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``100 * part / whole``; NaN where the whole is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, 100.0 * part / whole, np.nan)


class PixelPool:
    """Pixels of all images together: ``positives``, ``negatives`` (N, bins + 1) of each image."""

    def __init__(self, positives: np.ndarray, negatives: np.ndarray) -> None:
        self.positives, self.negatives = positives, negatives
        self._latest: tuple[np.ndarray, tuple[np.ndarray, np.ndarray]] | None = None

    def sums(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels of object and background (B, bins + 1) float64 under the image weights (B, N).

        The latest sums are kept: several metrics read them one after the other, and to make them is
        nearly all that these metrics cost.
        """
        if self._latest is None or self._latest[0] is not weights:
            exact = weights.astype(np.float64, copy=False)
            found = (
                exact @ self.positives.astype(np.float64),
                exact @ self.negatives.astype(np.float64),
            )
            self._latest = (weights, found)
        return self._latest[1]


def _hits(positives: np.ndarray, negatives: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Bins end with [1, 2) and [2, 3): the score 1 is above every threshold of the grid.
    hits = np.cumsum(positives[..., :0:-1], axis=-1, dtype=np.float64)[..., ::-1][..., :-2]
    false_alarms = np.cumsum(negatives[..., :0:-1], axis=-1, dtype=np.float64)[..., ::-1][..., :-2]
    return hits, hits + false_alarms
