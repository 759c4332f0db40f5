"""What the metrics of boxes have in common: one contour rule, read at thresholds of the score map."""

from __future__ import annotations

import numpy as np

from wsol.scores.per_image import PerImage

# A threshold this many standard errors below the best is never the best of a resample.
OUT_OF_REACH = 8.0


def winning_thresholds(
    per_image: PerImage, contours: str, iou: float, thresholds: np.ndarray
) -> np.ndarray:
    """Those of ``thresholds`` at which the share of right boxes may be highest in a resample."""
    distinct = per_image.distinct(thresholds)
    return distinct[candidate_thresholds(per_image.right(contours, iou, distinct))]


def candidate_thresholds(values: np.ndarray) -> np.ndarray:
    """Columns of ``values`` (n, C) whose mean may be the highest in a resample, in their order.

    Left out are those whose mean lies more than eight standard errors of the paired difference
    below the best: a resample would turn that round with a chance under 1e-14.
    """
    if not len(values):
        return np.arange(values.shape[1])
    sums = values.sum(axis=0, dtype=np.int64 if values.dtype.kind in "bui" else np.float64)
    best = values[:, np.argmax(sums)]
    gap = sums.max() - sums
    squares = _squared_differences(values, best)
    return np.flatnonzero(gap <= OUT_OF_REACH * np.sqrt(np.maximum(squares - gap**2 / len(values), 0)))


def _squared_differences(values: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Sums (C,) over the images of the squared differences to the column ``best`` (n,)."""
    if (
        values.dtype == bool
    ):  # -1, 0 and 1: their squares count the images on which two thresholds differ
        return (values != best[:, None]).sum(axis=0, dtype=np.int64)
    return np.array([np.square(column - best.astype(np.float64)).sum() for column in values.T])


def of_all_images(per_image: PerImage, scores: np.ndarray) -> np.ndarray:
    """Scores (n,) of the images with a true box as scores (N,) of all; NaN for the others."""
    every = np.full(len(per_image), np.nan)
    every[per_image.boxed] = scores
    return every
