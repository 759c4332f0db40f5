"""Mean IoU: of boxes where there are true boxes, else of masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import UNIT, Curve, Mean, units
from wsol.scores.iou_codes import SINGLE_UNITS, twice_iou
from wsol.scores.metrics import peak_iou
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.on_boxes import candidate_thresholds, of_all_images
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.pixel_counts import pooled_iou
from wsol.scores.protocol import Protocol


@dataclass(frozen=True)
class MeanIoUMetric(Metric):
    """``mean_iou``: of the largest contour's box, over the images that have a true box.

    Without any true box: of the map with the true mask, over the images with foreground. The policy
    oracle takes the threshold at which it is highest. (At the one of GT-known localization, as metrics
    version 1 had it, it follows the ties of another metric: near the ceiling it fell short by up to 4
    points, and its interval covered as little as 30 %.)
    """

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """One."""
        return [cls()]

    @property
    def specification(self) -> MetricSpecification:
        """In the CSV alone."""
        return MetricSpecification(
            key="mean_iou", name="Mean IoU", needs=("boxes or masks",), column=70, rank=70
        )

    def candidates(self, per_image: PerImage, thresholds: np.ndarray) -> np.ndarray:
        """Those at which it may be highest in a resample; of masks, on the pixel counts' grid."""
        if not per_image.has("boxes"):
            return peak_iou.on_grid(per_image, thresholds)
        distinct = per_image.distinct(thresholds)
        return distinct[candidate_thresholds(twice_iou(per_image.codes("single", distinct)))]

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """Over the images that have a true box, or else a true mask with foreground."""
        if per_image.has("boxes"):
            codes = per_image.codes("single", thresholds)
            return Mean(twice_iou(codes), per_image.boxed, whole=2.0 * SINGLE_UNITS)
        positives, negatives = per_image.pixels
        rows = np.flatnonzero(positives.sum(axis=1) > 0)
        iou = pooled_iou(positives[rows], negatives[rows])[:, per_image.columns(thresholds)]
        return Mean(units(iou), rows, whole=UNIT)

    def image_scores(self, per_image: PerImage, threshold: float) -> np.ndarray:
        """The IoU."""
        if per_image.has("boxes"):
            iou = twice_iou(per_image.codes("single", threshold)) / (2 * SINGLE_UNITS)
            return of_all_images(per_image, iou)
        (column,) = per_image.columns(np.array([threshold]))
        return pooled_iou(*per_image.pixels)[:, column] / 100
