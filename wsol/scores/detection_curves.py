"""How well a score tells images with an object from images without: curves over image weights.

The higher an image's score, the more it seems to show an object; images of equal scores stand on the
same side of every threshold. Totals are sums of image weights, whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve, Totals
from wsol.scores.pixel_counts import percent


@dataclass(frozen=True)
class Auroc(Curve):
    """The chance that an image with an object scores higher than one without; ties count half.

    The Mann-Whitney statistic of ``scores`` (N,) by ``present`` (N,) bool; NaN where weights leave
    images of one kind only.
    """

    scores: np.ndarray
    present: np.ndarray

    @property
    def images(self) -> int:
        """Those of the rarer kind: of them alone an interval must be as wide."""
        return int(min(self.present.sum(), (~self.present).sum()))

    def totals(self, weights: np.ndarray) -> Totals:
        """Weights (B, K) of images with an object, and without, by rising distinct score."""
        order = np.argsort(self.scores, kind="stable")
        starts = np.flatnonzero(np.diff(self.scores[order], prepend=np.nan) != 0)
        ordered, present = weights[:, order].astype(np.float64), self.present[order]
        return (
            np.add.reduceat(ordered * present, starts, axis=1),
            np.add.reduceat(ordered * ~present, starts, axis=1),
        )

    def percent(self, totals: Totals) -> np.ndarray:
        """The statistic (B, 1) in percent."""
        present, absent = totals
        twice = (present * (2 * np.cumsum(absent, axis=1) - absent)).sum(axis=1)
        return percent(twice / 2, present.sum(axis=1) * absent.sum(axis=1))[:, None]


@dataclass(frozen=True)
class FalseAlarms(Curve):
    """The share of images without an object that score at or above ``thresholds`` (C,).

    NaN where weights leave images of one kind only.
    """

    scores: np.ndarray
    present: np.ndarray
    thresholds: np.ndarray
    parts = 3

    @property
    def images(self) -> int:
        """Those without an object."""
        return int((~self.present).sum())

    def totals(self, weights: np.ndarray) -> Totals:
        """Weights of false alarms (B, C), of all images without an object (B, 1), and with one."""
        exact = weights.astype(np.float64)
        absent = exact[:, ~self.present]
        alarms = self.scores[~self.present, None] >= self.thresholds
        with_object = exact[:, self.present].sum(axis=1, keepdims=True)
        return absent @ alarms.astype(np.float64), absent.sum(axis=1, keepdims=True), with_object

    def percent(self, totals: Totals) -> np.ndarray:
        """The shares (B, C) in percent."""
        alarms, absent, present = totals
        return np.where(present > 0, percent(alarms, absent), np.nan)


@dataclass(frozen=True)
class HighestReaching(Curve):
    """Highest at the highest of ``thresholds`` (C,), rising, with a recall of ``recall`` percent.

    Recall is the share of images with an object that score at or above. Values are no percentages but
    the places of thresholds, -1 where the recall is not reached.
    """

    scores: np.ndarray
    present: np.ndarray
    thresholds: np.ndarray
    recall: int

    def totals(self, weights: np.ndarray) -> Totals:
        """Weights of hits (B, C), and of all images with an object (B, 1)."""
        present = weights[:, self.present].astype(np.float64)
        hits = self.scores[self.present, None] >= self.thresholds
        return present @ hits.astype(np.float64), present.sum(axis=1, keepdims=True)

    def percent(self, totals: Totals) -> np.ndarray:
        """The places (B, C)."""
        hits, present = totals
        return np.where(100 * hits >= self.recall * present, np.arange(hits.shape[1]), -1.0)
