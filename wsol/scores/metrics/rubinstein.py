"""P and J (Rubinstein et al., CVPR 2013), means over classes, at one threshold for all classes.

The paper's maps are binary: that one threshold serves all classes, and that J chooses it, is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import UNIT, Curve, Mean, MeanOf, units
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.peak_iou import on_grid
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.pixel_counts import pooled_iou, right_pixels
from wsol.scores.protocol import Protocol

CHOOSER = "rubinstein_j"


@dataclass(frozen=True)
class RubinsteinPMetric(Metric):
    """``rubinstein_p``: the share of pixels labelled right, over all images of a class.

    ``labels`` are the classes; none takes those of the images.
    """

    labels: tuple[int, ...] = ()

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """P and J."""
        return [RubinsteinPMetric(), RubinsteinJMetric()]

    @property
    def specification(self) -> MetricSpecification:
        """A main column."""
        return MetricSpecification(
            key="rubinstein_p", name="P", needs=("masks",), column=100, main_column=90
        )

    def chosen_by(self, per_image: PerImage) -> str:
        """J."""
        return CHOOSER

    def measurable(self, per_image: PerImage, protocol: Protocol) -> bool:
        """Only under a protocol that counts by class."""
        return protocol.per_class and super().measurable(per_image, protocol)

    def candidates(self, per_image: PerImage, thresholds: np.ndarray) -> np.ndarray:
        """Those of the pixel counts' grid."""
        return on_grid(per_image, thresholds)

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """The mean over classes."""
        return MeanOf(list(self.class_curves(per_image, thresholds).values()))

    def class_curves(self, per_image: PerImage, thresholds: np.ndarray) -> dict[str, Curve]:
        """That of each class, ``rubinstein_p:<label>``."""
        columns = per_image.columns(thresholds)
        curves: dict[str, Curve] = {}
        for label in self.labels or np.unique(per_image.labels).tolist():
            rows = self.counted(per_image, np.flatnonzero(per_image.labels == label))
            positives, negatives = per_image.pixels
            shares = self.shares(positives[rows], negatives[rows])[:, columns]
            curves[f"{self.key}:{label}"] = Mean(units(shares), rows, whole=UNIT)
        return curves

    def counted(self, per_image: PerImage, rows: np.ndarray) -> np.ndarray:
        """Those images of a class that count: for P all."""
        return rows

    def shares(self, positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
        """Percent (n, T) of n images at the T thresholds of the grid, from counts (n, bins + 1)."""
        return right_pixels(positives, negatives)


@dataclass(frozen=True)
class RubinsteinJMetric(RubinsteinPMetric):
    """``rubinstein_j``: the IoU of map and mask, over the images of a class that show the object."""

    @property
    def specification(self) -> MetricSpecification:
        """A main column; tables without PxAP are ranked by it."""
        return MetricSpecification(
            key=CHOOSER, name="J", needs=("masks",), column=110, main_column=100, rank=60
        )

    def counted(self, per_image: PerImage, rows: np.ndarray) -> np.ndarray:
        """Those with foreground."""
        return rows[per_image.pixels[0][rows].sum(axis=1) > 0]

    def shares(self, positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
        """IoU."""
        return pooled_iou(positives, negatives)
