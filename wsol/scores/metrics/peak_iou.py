"""Peak IoU: the best over thresholds of TP / (TP + FP + FN), pixels of all images in one pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve, Pooled
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.pixel_counts import pooled_iou
from wsol.scores.protocol import Protocol

KEY = "peak_iou"


@dataclass(frozen=True)
class PeakIoUMetric(Metric):
    """``peak_iou``: a pixel is foreground where its score is at or above the threshold."""

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """One."""
        return [cls()]

    @property
    def specification(self) -> MetricSpecification:
        """Always oracle."""
        return MetricSpecification(
            key=KEY, name="Peak IoU", oracle=True, needs=("masks",), column=90, main_column=80
        )

    def candidates(self, per_image: PerImage, thresholds: np.ndarray) -> np.ndarray:
        """Those of the pixel counts' grid."""
        return on_grid(per_image, thresholds)

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """NaN where no image has foreground."""
        return Pooled(per_image.pool, pooled_iou, per_image.columns(thresholds))


def on_grid(per_image: PerImage, thresholds: np.ndarray) -> np.ndarray:
    """The thresholds of the pixel counts' grid at which ``thresholds`` are read."""
    return per_image.grid[per_image.columns(thresholds)]
